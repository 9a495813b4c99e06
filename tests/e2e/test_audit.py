"""limpet audit against what the program has set (SET lines), and against how many of what it has made."""
import pytest

from procs import FULL, Target, limpet_json

MINORS = ["1.22", "1.24", "1.27"] if FULL else ["1.22", "1.27"]


def said(target):
    """{(type, field): value} as the program printed them."""
    return {tuple(w[1:3]): int(w[3]) for w in (l.split() for l in target.lines if l) if w[0] == "SET"}


def settings(instance):
    return {s["name"]: s.get("value", s.get("value_ns", s.get("bytes"))) for s in instance["settings"]}


def of_type(answer, name):
    return [i for i in answer["instances"] if i["type"] == name]


def agree(target, answer):
    """Each setting that the program told is so in one instance of the type."""
    for (name, field), value in said(target).items():
        assert any(settings(i).get(field) == value for i in of_type(answer, name)), (name, field, value)


def busiest(answer, name):
    return max(of_type(answer, name), key=lambda i: sum(i["hangs"].values()))


@pytest.mark.parametrize("minor", MINORS)
def test_settings_and_waiters_of_a_client(minor):
    with Target("findings/limits-unset", minor, args=["client"]) as target:
        answer = limpet_json("audit", target.pid)
        agree(target, answer)
        client, transport = (busiest(answer, "net/http." + n) for n in ("Client", "Transport"))
        assert client["hangs"]["waiting"] == transport["hangs"]["waiting"] == 48
        assert transport["hangs"]["connections"] == 48 and transport["hangs"]["idle"] == 0
        assert "48 goroutines" in client["says"]
        assert client["holder"][0]["what"] == "global" and "main.gateway" in [h.get("type") for h in client["holder"]]
        assert {p["name"]: p for p in answer["process"]}["GOMEMLIMIT"]["unset"]


@pytest.mark.parametrize("minor", MINORS)
def test_a_client_that_is_a_field(minor):
    with Target("findings/limits-unset", minor, args=["client-no-context"]) as target:
        client = busiest(limpet_json("audit", target.pid), "net/http.Client")
        assert client["field"] == ".inner" and client["hangs"]["waiting"] == 48


@pytest.mark.parametrize("minor", MINORS)
@pytest.mark.parametrize("case, conns, waiting", [("db", 64, 0), ("db-limited", 40, 24)])
def test_a_pool_of_connections(case, conns, waiting, minor):
    with Target("findings/limits-unset", minor, args=[case]) as target:
        answer = limpet_json("audit", target.pid)
        agree(target, answer)
        [db] = of_type(answer, "database/sql.DB")
        assert (db["hangs"]["connections"], db["hangs"]["waiting"]) == (conns, waiting)


@pytest.mark.parametrize("minor", MINORS)
def test_a_server_and_its_slow_clients(minor):
    with Target("findings/limits-unset", minor, args=["server"]) as target:
        answer = limpet_json("audit", target.pid)
        agree(target, answer)
        server = busiest(answer, "net/http.Server")
        assert server["hangs"]["connections"] == server["hangs"]["reading_headers"] == 80


@pytest.mark.parametrize("minor", MINORS)
@pytest.mark.parametrize("case, conns, idle, bodies, dropped", [("body", 300, 0, 300, 300), ("body-kept", 300, 0, 300, 0),
                                                                ("streaming", 60, 0, 60, 0), ("pool", 60, 60, 0, 0)])
def test_connections_of_a_client(case, conns, idle, bodies, dropped, minor):
    with Target("findings/unclosed-resource", minor, args=[case]) as target:
        hangs = busiest(limpet_json("audit", target.pid), "net/http.Transport")["hangs"]
        assert (hangs["connections"], hangs["idle"], hangs["open_bodies"], hangs["dropped_bodies"]) == (conns, idle, bodies, dropped)
