"""Makes the pictures of README and documentation from a real sandbox: `make pictures`.

Decides which pictures there are and how large. What they show lies in `picture_scene`, how the pages are
reached in `picture_pages`. Needs Chromium at /usr/bin/chromium and what `make test` installs; the folder to
write to may be given as an argument.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from calsync_plugin.demo import Sandbox
from calsync_plugin.settings import LogSettings
from docs import picture_pages, picture_scene
from docs.picture_scene import REVIEW, Scene

PICTURES = Path(__file__).parent / "pictures"
CHROMIUM = "/usr/bin/chromium"
SIZE: ViewportSize = {"width": 1240, "height": 820}


def take(browser: Browser, scene: Scene, folder: Path) -> None:
    """Open the pages of both simulators and take the pictures."""
    page = browser.new_page(viewport=SIZE)
    page.goto(scene.crm_page())
    _shoot(page, folder / "crm.png")
    page.click(f"[data-record-name='{REVIEW}']")
    _shoot(page, folder / "crm-record.png")
    page.goto(scene.outlook_page("alice"))
    _shoot(page, folder / "outlook.png")
    page.click(f"[data-event-subject='{REVIEW}']")
    _shoot(page, folder / "outlook-event.png")
    page.close()


def _shoot(page: Page, file: Path) -> None:
    page.wait_for_load_state("networkidle")
    page.screenshot(path=file)


def main(folder: Path = PICTURES) -> None:
    """Start a sandbox, fill it, and write the pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data, sync_playwright() as playwright:
        sandbox = Sandbox(Path(data), 0, LogSettings(level="warning"))
        sandbox.start()
        try:
            scene = Scene(sandbox)
            picture_scene.fill(scene)
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            take(browser, scene, folder)
            picture_scene.trouble(scene)
            picture_pages.take(browser, scene, folder)
            browser.close()
        finally:
            sandbox.stop()


if __name__ == "__main__":
    main(*[Path(argument) for argument in sys.argv[1:]])
