"""Health, in good order and with settings that are not."""

from tests.simulator.deployments import WARNINGS, Deployments, Plan


def test_health_is_200_with_fresh_keys(app: Deployments) -> None:
    """This is what Traffic Manager's probe sees."""
    reply = app.health("sea")

    assert reply.status_code == 200
    assert reply.json() == {
        "status": "ok",
        "region": "sea",
        "build": "dev",
        "keys": "fresh",
        "answering": "unknown",
        "problems": [],
        "warnings": WARNINGS,
        "notices": [],
    }


def test_unusable_settings_are_503_for_everybody() -> None:
    """Before any token is looked at; health gives names and sentences, no value."""
    settings = {"CALLING_ANSWER": "perhaps", "CALLING_TENANTS": "contoso.example"}
    with Deployments(Plan(regions=("weu",), settings=settings)) as app:
        for token in (None, "x"):
            reply = app.post({"value": []}, token=token)
            assert (reply.status, reply.body) == (503, b"")
            assert reply.headers["Retry-After"] == "30"
        assert app.post(b" " * (1024 * 1024 + 1)).status == 413
        report = app.health("weu")

    assert report.status_code == 503
    body = report.json()
    assert (body["status"], body["keys"]) == ("unavailable", "none")
    assert [problem.split(":")[0] for problem in body["problems"]] == [
        "CALLING_ANSWER",
        "CALLING_TENANTS",
    ]
    assert "perhaps" not in report.text
    assert "contoso" not in report.text


def test_an_unknown_setting_is_a_warning_and_health_stays_200() -> None:
    """The deployment's health gate refuses it."""
    plan = Plan(regions=("weu",), settings={"CALLING_REGIONS": "weu"})
    with Deployments(plan) as app:
        report = app.health("weu")

    assert report.status_code == 200
    assert report.json()["warnings"] == ["CALLING_REGIONS: unknown setting.", *WARNINGS]
