# SPDX-License-Identifier: MIT
"""A tenant that speaks the On-Premises dialect, as its webhook's tests need it:
made in the database, with no account but that of the tenant's admin."""
import json
import subprocess

from harness import done, unique

MESSAGE = {"contacts": [{"profile": {"name": "Kerry"},
                         "wa_id": "16315551234"}],
           "messages": [{"from": "16315551234", "id": "ABGG",
                         "timestamp": "1518694235", "type": "text",
                         "text": {"body": "h\u00e4 \"x\""}}]}


def sql(instance, statement):
    run = subprocess.run(
        ["mariadb", "--no-defaults", "--batch", "--skip-column-names",
         "--socket", str(instance.run / "sockets/mariadb.sock"), "wuts"],
        input=statement, check=True, timeout=60, capture_output=True,
        text=True)
    return [tuple(line.split("\t")) for line in run.stdout.splitlines()]


class Shop:
    """A tenant that speaks the On-Premises dialect, and its device."""

    def __init__(self, instance, url="", **settings):
        self.instance = instance
        self.tenant = instance.tenant()
        self.id = self.tenant.id.replace("-", "")
        self.device = self.tenant.admin.device()
        self.settings = {"webhooks": {"url": url}}
        sql(instance, "INSERT INTO onprem_settings (tenant_id, settings,"
            f" wa_id, updated_at) VALUES (x'{self.id}',"
            " '{\"pass_through\":false}', '', NOW(6))")
        self.set(url, **settings)

    def set(self, url=None, **settings):
        """In force, for whoever asks from now on."""
        if url is not None:
            self.settings["webhooks"]["url"] = url
        self.settings["webhooks"].update(settings.pop("webhooks", {}))
        self.settings.update(settings)
        text = json.dumps(self.settings).replace("'", "''")
        sql(self.instance, f"UPDATE onprem_settings SET settings = '{text}',"
            f" updated_at = NOW(6) WHERE tenant_id = x'{self.id}'")
        self.bump()

    def trust(self, *paths):
        """Upload certificates; none: remove them."""
        pem = b"".join(path.read_bytes() for path in paths)
        sql(self.instance, f"DELETE FROM tenant_ca WHERE tenant_id ="
            f" x'{self.id}'; INSERT INTO tenant_ca SELECT x'{self.id}',"
            f" x'{pem.hex()}', NOW(6), NOW(6) FROM DUAL WHERE"
            f" {len(pem)} > 0")
        self.bump()

    def bump(self):
        """As any change of the tenant does."""
        done(self.tenant.admin.client.post("/user/webhook", {
            "webhook_url": f"https://{unique('x')}.example.com/"}))

    def report(self, data=None, event="message.received", n=1, status=202):
        response = self.instance.engine().post(
            f"/devices/{self.device}/events",
            [{"event": event, "data": data or MESSAGE}] * n)
        return done(response, 202)["ids"] if status == 202 else response

    def lines(self, outcome):
        """What the spooler has logged of this tenant's attempts."""
        return [line for line in (self.instance.run / "logs/wuts-spool.log")
                .read_text().splitlines()
                if f"tenant={self.tenant.id}" in line and outcome in line]
