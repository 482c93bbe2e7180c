# SPDX-License-Identifier: MIT
"""GET /metrics: what is told, that it moves with what happens, and that the
accounts of the queue hold at every moment."""
import threading

from harness import done, refused, unique, wait_for

# Nothing listens there.
NOWHERE = "http://127.0.0.1:1/"


def report(client, device, n):
    return done(client.post(f"/devices/{device}/events", [
        {"event": "message.sent", "data": {"n": i}} for i in range(n)]), 202)


def subscribe(member, url, **settings):
    device = member.device()
    done(member.client.post(f"/webhook?device_id={device}", {
        "webhook_url": url, "enabled_events": ["*"], **settings}), 201)
    return device


def test_only_the_master_token_reads_them(wuts, tenant):
    for client in (wuts.client(), wuts.engine(), tenant.admin.client):
        body = refused(client.get("/metrics"), 401, "UNAUTHORIZED")
        assert "master token" in body["error"]
    wait_for("the spooler", lambda: wuts.metrics()["wuts_spool_up"] == 1)


def test_requests_are_counted_by_dialect_class_and_status(wuts, tenant):
    series = ('wuts_http_requests_total{dialect="wuts",class="read",'
              'status="%s"}')
    before = wuts.settled()
    for _ in range(20):
        done(tenant.admin.client.get("/users"))
        refused(tenant.admin.client.get("/users/" + unique("x")), 400,
                "VALIDATION_ERROR")
    after = wuts.settled()
    assert after[series % "2xx"] == before[series % "2xx"] + 20
    assert after[series % "4xx"] == before[series % "4xx"] + 20

    def is_whole(metrics, kind):
        return metrics.sum('wuts_http_requests_total{.*class="%s".*}'
                           % kind) == \
            metrics[f'wuts_http_request_seconds_count{{class="{kind}"}}'] \
            == metrics['wuts_http_request_seconds_bucket{class="%s",'
                       'le="+Inf"}' % kind]

    for metrics in before, after:
        for kind in "read", "write", "none":
            assert is_whole(metrics, kind)
    # A look at them may see the one before half counted.
    wait_for("as many in all", lambda: is_whole(wuts.metrics(), "ops"))


def test_no_client_can_make_a_series(wuts):
    looks = 'wuts_http_requests_total{dialect="ops",class="ops",status="2xx"}'
    wait_for("a look that is counted", lambda: wuts.metrics()[looks])
    names = set(wuts.settled().values)
    client = wuts.client()
    for n in range(5):
        client.get(f"/{unique('nowhere')}?{n}")
    new = set(wuts.settled().values) - names
    assert all('class="none",status="4xx"' in name for name in new), new


def test_workers_and_database_are_told(wuts, tenant):
    metrics = wuts.metrics()
    assert metrics['wuts_workers{state="busy"}'] >= 1
    assert metrics.sum(r"wuts_workers{.*}") >= 4
    before = metrics["wuts_db_statement_seconds_count"]
    tenant.member()
    after = wuts.metrics()["wuts_db_statement_seconds_count"]
    assert after >= before + 3
    assert metrics["wuts_worker_starts_total"] >= 4


def test_every_event_is_at_one_place_at_any_moment(wuts, tenant, hook):
    device = subscribe(tenant.admin, hook.url)
    nobody = tenant.admin.device()
    dead = subscribe(tenant.member(), NOWHERE, retry_attempts=0)
    stop = threading.Event()
    before = wuts.metrics()

    def load():
        while not stop.is_set():
            report(wuts.engine(), device, 7)
            report(wuts.engine(), nobody, 2)
            report(wuts.engine(), dead, 1)

    thread = threading.Thread(target=load)
    thread.start()
    try:
        for _ in range(30):
            wuts.metrics().assert_identity()
    finally:
        stop.set()
        thread.join()

    def moved(name):
        return lambda: wuts.metrics()[name] > before[name]

    for end in "delivered", "dead", "dropped":
        wait_for(f"{end} events", moved(f"wuts_queue_{end}_total"))
        wait_for(f"{end} attempts", moved(
            f'wuts_spool_attempts_total{{outcome="{end}"}}'))
    wait_for("all that was answered for is read", lambda: (
        m := wuts.metrics())["wuts_queue_appended_total"]
        == m["wuts_queue_accepted_total"])
    after = wuts.metrics()
    after.assert_identity()
    assert after['wuts_spool_attempt_seconds_count{answer="2xx"}'] > \
        before['wuts_spool_attempt_seconds_count{answer="2xx"}']
    assert after['wuts_spool_attempt_seconds_count{answer="none"}'] > \
        before['wuts_spool_attempt_seconds_count{answer="none"}']


def test_a_dead_endpoint_shows_as_an_open_breaker(wuts, tenant):
    device = subscribe(tenant.admin, NOWHERE, retry_attempts=20)
    report(wuts.engine(), device, 20)
    wait_for("an open breaker", lambda: wuts.metrics().sum(
        'wuts_spool_endpoints{breaker="(half_)?open"}') > 0)
    metrics = wuts.metrics()
    assert metrics["wuts_queue_waiting"] > 0
    assert metrics["wuts_spool_oldest_event_seconds"] >= 0
    done(tenant.admin.client.delete(f"/webhook?device_id={device}"))
