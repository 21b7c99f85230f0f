"""The sandbox: stand-ins for the two foreign services, judged by clients that nobody here wrote.

Nothing below this folder imports anything of the package, so that a simulator cannot share its bugs.
"""
