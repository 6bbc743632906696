"""The dry run: what is stored, what will run and why, before anything is called."""

import pytest

from engine.check import compile_graph
from engine.plan import Plan, make_plan
from engine.runtime import Runtime
from engine.store import Store
from engine.workflow import Workflow

from .conftest import SEWN, Run, flow, link
from .test_executor import SWITCHED
from .toys import catalog


def planned(workflow: Workflow, store: Store, runtime: Runtime) -> Plan:
    return make_plan(compile_graph(workflow, catalog, runtime), store, runtime)


def test_a_new_graph_runs(store: Store, runtime: Runtime, calls: list[str]) -> None:
    plan = planned(flow(SEWN), store, runtime)
    assert plan.running == ["cloth", "thread", "sewn"]
    assert plan.nodes["cloth"].why.startswith("no result is stored")
    assert plan.nodes["sewn"].why == 'it follows "cloth", which will run'
    assert calls == []


def test_a_stored_result_cuts_off_what_is_behind_it(
    run: Run, store: Store, runtime: Runtime
) -> None:
    run(SEWN)
    plan = planned(flow(SEWN), store, runtime)
    assert plan.running == []
    assert plan.nodes["sewn"].why.startswith("stored on ")
    assert "not needed" in plan.nodes["thread"].why


def test_a_plan_agrees_with_the_run(run: Run, store: Store, runtime: Runtime) -> None:
    run(SEWN)
    edited = flow(SEWN | {"thread": ("Spin", {"metres": 7.0})})
    plan = planned(edited, store, runtime)
    result = run(edited)
    assert plan.running == [node for node, done in result.nodes.items() if done.state == "ran"]


@pytest.mark.parametrize("state", ["run", "stored"])
def test_a_lazy_branch_may_run(run: Run, store: Store, runtime: Runtime, state: str) -> None:
    if state == "stored":
        run(flow({"one": SWITCHED["one"]}))
    plan = planned(flow(SWITCHED), store, runtime)
    assert plan.nodes["choice"].state == "run"
    assert plan.nodes["one"].state == state
    assert "if a lazy input asks for it" in plan.nodes["one"].why


def test_reasons_for_running_each_time(store: Store, runtime: Runtime) -> None:
    nodes = {
        "clock": ("Clock", {}),
        "n": ("Add", {"a": link("clock")}),
        "t": ("Pass", {"value": "red"}),
        "book": ("Read", {"title": link("t")}),
    }
    plan = planned(flow(nodes, n="n.value", book="book.value"), store, runtime)
    assert "runs each time" in plan.nodes["clock"].why
    assert "follows" in plan.nodes["n"].why
    assert "known only while running" in plan.nodes["book"].why
    lazy = {
        "clock": ("Clock", {}),
        "s": ("Switch", {"condition": True, "on_true": link("clock"), "on_false": 1.0}),
    }
    assert (
        planned(flow(lazy), store, runtime).nodes["s"].why
        == "it follows a node that runs each time, and is made again if that gives something new"
    )


def test_what_stands_behind_a_stored_node_is_not_needed(
    run: Run, store: Store, runtime: Runtime
) -> None:
    run(SEWN)
    nodes = SEWN | {"again": ("Pass", {"value": link("sewn")})}
    plan = planned(flow(nodes), store, runtime)
    assert "not needed" in plan.nodes["thread"].why


def test_a_node_with_two_followers_is_planned_once(store: Store, runtime: Runtime) -> None:
    nodes = {
        "a": ("Dye", {}),
        "n": ("Stack", {"cloths": [link("a"), link("b")]}),
        "b": ("Pass", {"value": link("a")}),
    }
    plan = planned(flow(nodes, n="n.value", a="a.value"), store, runtime)
    assert sorted(plan.nodes) == ["a", "b", "n"]


def test_nodes_that_nothing_asks_for_do_not_appear(store: Store, runtime: Runtime) -> None:
    plan = planned(flow({"idle": ("Spin", {}), "n": ("Dye", {})}), store, runtime)
    assert list(plan.nodes) == ["n"]


def test_a_lazy_branch_behind_a_volatile_node_may_run(store: Store, runtime: Runtime) -> None:
    nodes = {
        "dice": ("Dice", {}),
        "far": ("Pass", {"value": link("dice")}),
        "s": ("Switch", {"condition": True, "on_true": 1.0, "on_false": link("far")}),
    }
    plan = planned(flow(nodes), store, runtime)
    assert plan.nodes["far"].why == "only if a lazy input asks for it"
    assert plan.nodes["s"].why.startswith("it follows a node that runs each time")
    assert plan.seconds == 0


def test_what_is_not_needed_may_be_nowhere(run: Run, store: Store, runtime: Runtime) -> None:
    run(SEWN)
    assert store.disk is not None
    reopened = Store(store.disk.place.path, runtime.codecs)  # type: ignore[attr-defined]
    plan = planned(flow(SEWN), reopened, runtime)
    assert plan.running == []
    assert plan.nodes["thread"].why == "not needed: what follows it is stored"
