from ipaddress import ip_address, ip_network

import pytest

from streams.webhooks.receiver import PATH
from tests.deploy.kubernetes_objects import (
    COMPONENT,
    OVERLAYS,
    Object,
    container,
    named_settings,
    of_kind,
    one,
    pods,
    servers,
)

NAMESPACE = "kubernetes.io/metadata.name"
PRIVATE = ["10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"]
METADATA_SERVERS = {("169.254.169.252", 988), ("169.254.169.254", 80)}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_no_policy_allows_is_forbidden(overlay: str) -> None:
    """One policy selects every pod, both ways, and allows nothing."""
    policy = one(overlay, "NetworkPolicy", "deny-all")["spec"]

    assert policy == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_prometheus_reaches_every_server_and_proxies_the_receivers(overlay: str) -> None:
    """And nobody reaches anything else; probes come from the node, which no policy keeps out."""
    ports = {name: container(pod)["ports"][0]["containerPort"] for name, pod in servers(overlay).items()}
    reached = {
        (name, sender, port)
        for name in pods(overlay)
        for rule in _rules(overlay, name, "ingress")
        for sender in (peer["namespaceSelector"]["matchLabels"][NAMESPACE] for peer in rule["from"])
        for port in (each["port"] for each in rule["ports"])
        if port == ports.get(name)
    }

    assert {*((name, "monitoring", port) for name, port in ports.items()), ("webhooks", "ingress", 8082)} == reached


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_only_the_webhook_path_is_reachable_from_outside(overlay: str) -> None:
    """Exactly this path leads in; health and metrics are on the same port, and stay inside."""
    [ingress] = of_kind(overlay, "Ingress")
    [rule] = ingress["spec"]["rules"]
    [path] = rule["http"]["paths"]
    service = one(overlay, "Service", path["backend"]["service"]["name"])["spec"]
    [port] = container(pods(overlay)["webhooks"])["ports"]

    assert (PATH, "Exact") == (path["path"], path["pathType"])
    assert "defaultBackend" not in ingress["spec"]
    assert [rule["host"]] == ingress["spec"]["tls"][0]["hosts"]
    assert path["backend"]["service"]["port"]["name"] == service["ports"][0]["name"]
    assert port["name"] == service["ports"][0]["targetPort"]
    assert service["selector"].items() <= pods(overlay)["webhooks"]["metadata"]["labels"].items()
    assert [service] == [each["spec"] for each in of_kind(overlay, "Service")]
    assert service.get("type", "ClusterIP") == "ClusterIP"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_hosts_differ(overlay: str) -> None:
    """No environment gets another's webhooks."""
    others = [of_kind(each, "Ingress")[0]["spec"]["rules"][0]["host"] for each in OVERLAYS if each != overlay]

    assert of_kind(overlay, "Ingress")[0]["spec"]["rules"][0]["host"] not in others


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_process_finds_names_and_kafka(overlay: str) -> None:
    """Kafka at any address, by the ports that the settings name."""
    kafka = {int(server.rpartition(":")[2]) for server in named_settings(overlay).bootstrap.split(",")}

    for name in pods(overlay):
        rules = _rules(overlay, name, "egress")
        anywhere = {each["port"] for rule in rules if "to" not in rule for each in rule["ports"]}
        to_dns = [rule["ports"] for rule in rules if "kube-dns" in str(rule.get("to"))]
        assert kafka == anywhere
        assert [[{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]] == to_dns


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_only_who_must_speaks_https_and_to_nothing_inside(overlay: str) -> None:
    """Workers to Customer.io, and a loader to BigQuery; neither to the cluster's networks."""
    has_bigquery = named_settings(overlay).warehouse.startswith("bigquery:")
    outside = {
        name: rule
        for name in pods(overlay)
        for rule in _rules(overlay, name, "egress")
        if {"protocol": "TCP", "port": 443} in rule["ports"]
    }

    assert {"worker"} | ({"warehouse"} if has_bigquery else set()) == set(outside)
    for rule in outside.values():
        assert [{"ipBlock": {"cidr": "0.0.0.0/0", "except": PRIVATE}}] == rule["to"]
        assert [{"protocol": "TCP", "port": 443}] == rule["ports"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_only_a_loader_with_bigquery_gets_credentials_from_the_node(overlay: str) -> None:
    """The metadata server gives them to whoever reaches it."""
    has_bigquery = named_settings(overlay).warehouse.startswith("bigquery:")
    reached = {
        (name, address, port)
        for name in pods(overlay)
        for rule in _rules(overlay, name, "egress")
        for address, port in METADATA_SERVERS
        if port in {each["port"] for each in rule["ports"]} and _lets(rule, address)
    }

    assert {("warehouse", *each) for each in METADATA_SERVERS if has_bigquery} == reached


def _rules(overlay: str, name: str, direction: str) -> list[Object]:
    """Give every rule that lets something to or from a pod."""
    return [
        rule
        for policy in of_kind(overlay, "NetworkPolicy")
        if policy["spec"]["podSelector"].get("matchLabels", {COMPONENT: name}) == {COMPONENT: name}
        for rule in policy["spec"].get(direction, [])
    ]


def _lets(rule: Object, address: str) -> bool:
    blocks = [peer["ipBlock"] for peer in rule.get("to", []) if "ipBlock" in peer]
    return any(
        ip_address(address) in ip_network(block["cidr"])
        and not any(ip_address(address) in ip_network(other) for other in block.get("except", []))
        for block in blocks
    )
