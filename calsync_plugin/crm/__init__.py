"""The CRM's side: what calsync needs of a host, and EspoCRM's REST interface as one host."""
