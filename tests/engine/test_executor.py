"""Running: what is computed, once, where, and what happens when something goes wrong."""

import threading
import time
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from engine.artifacts import Artifact, Delivery, here
from engine.catalog import Catalog
from engine.check import compile_graph
from engine.errors import Cancelled, InputError, NodeError
from engine.events import NodeFailed, NodeFinished, NodeProgressed, NodeStarted, Warned
from engine.executor import execute
from engine.node import Lane, node, node_type
from engine.runtime import Runtime
from engine.store import Store
from engine.workflow import Workflow

from . import toys
from .conftest import SEWN, Run, flow, link
from .toys import Cloth


def states(result: Any) -> dict[str, str]:
    return {node_id: run.state for node_id, run in result.nodes.items()}


def test_a_run_gives_the_named_outputs(run: Run) -> None:
    result = run(SEWN)
    assert result.outputs == {"result": Cloth("blue-2-3")}
    assert set(states(result).values()) == {"ran"}


def test_a_second_run_computes_nothing(run: Run, calls: list[str]) -> None:
    run(SEWN)
    calls.clear()
    result = run(SEWN)
    assert calls == []
    assert result.outputs["result"] == Cloth("blue-2-3")
    assert set(states(result).values()) == {"stored"}


def test_a_restart_computes_nothing(
    run: Run, runtime: Runtime, tmp_path: Path, calls: list[str]
) -> None:
    run(SEWN)
    calls.clear()
    result = run(SEWN, store=Store(tmp_path / "store", runtime.codecs))
    assert calls == []
    assert set(states(result).values()) == {"stored"}


def test_only_what_an_edit_reaches_runs_again(run: Run) -> None:
    run(SEWN)
    result = run(SEWN | {"thread": ("Spin", {"metres": 3.0})})
    assert states(result) == {"cloth": "stored", "thread": "ran", "sewn": "ran"}


def test_equal_nodes_are_computed_once(run: Run, calls: list[str]) -> None:
    nodes = {
        "a": ("Dye", {}),
        "b": ("Dye", {"colour": "red"}),
        "n": ("Stack", {"cloths": [link("a"), link("b")]}),
    }
    result = run(nodes)
    assert result.outputs["result"] == "red+red"
    assert calls.count("Dye") == 1
    assert set(states(result).values()) == {"ran"}


def test_a_node_that_nothing_asks_for_does_not_run(run: Run, calls: list[str]) -> None:
    result = run({"idle": ("Spin", {}), "n": ("Dye", {})})
    assert calls == ["Dye"]
    assert states(result) == {"idle": "skipped", "n": "ran"}


SWITCHED: dict[str, Any] = {
    "one": ("Dye", {"colour": "red"}),
    "other": ("Dye", {"colour": "blue"}),
    "choice": ("Switch", {"condition": True, "on_true": link("one"), "on_false": link("other")}),
}


@pytest.mark.parametrize(
    ("condition", "colour", "idle"), [(True, "red", "other"), (False, "blue", "one")]
)
def test_only_the_asked_branch_of_a_switch_runs(
    run: Run, calls: list[str], *, condition: bool, colour: str, idle: str
) -> None:
    nodes = SWITCHED | {"choice": ("Switch", SWITCHED["choice"][1] | {"condition": condition})}
    result = run(nodes)
    assert result.outputs["result"] == Cloth(colour)
    assert calls == ["Dye"]
    assert states(result)[idle] == "skipped"
    again = run(nodes)
    assert states(again)["choice"] == "stored"
    assert again.outputs["result"] == Cloth(colour)


def test_a_lazy_input_may_be_a_value_or_already_there(run: Run) -> None:
    nodes: dict[str, Any] = {
        "one": ("Dye", {}),
        "choice": ("Switch", {"condition": False, "on_true": 1.0, "on_false": 2.0}),
    }
    assert run(nodes).outputs["result"] == 2.0
    nodes = {
        "one": ("Dye", {}),
        "cut": ("Cut", {"cloth": link("one")}),
        "choice": ("Switch", SWITCHED["choice"][1] | {"on_false": link("one")}),
    }
    assert run(flow(nodes, a="cut.left", r="choice.value")).outputs["r"] == Cloth("red")


def test_a_lazy_branch_may_be_stored_or_stand_on_what_is_there(run: Run, calls: list[str]) -> None:
    run(flow({"one": SWITCHED["one"]}))
    calls.clear()
    assert run(SWITCHED).outputs["result"] == Cloth("red")
    assert calls == []
    nodes: dict[str, Any] = {
        "base": ("Dye", {}),
        "sewn": ("Sew", {"cloth": link("base"), "thread": {"$link": ["t", "value"]}}),
        "t": ("Spin", {}),
        "yes": ("Pass", {"value": link("flag")}),
        "flag": ("Pass", {"value": True}),
        "late": ("Switch", {"condition": link("yes"), "on_true": link("sewn"), "on_false": 1.0}),
    }
    result = run(flow(nodes, base="base.value", late="late.value"))
    assert result.outputs["late"] == Cloth("red-1-1")


def test_lists_of_values_may_hold_links(run: Run) -> None:
    nodes = {"n": ("Add", {"a": 2.0}), "knot": ("Knot", {"lengths": [link("n"), 1.0, link("n")]})}
    assert run(nodes).outputs["result"] == 5.0


def test_lazy_branches_may_be_nested_deeply(run: Run) -> None:
    nodes: dict[str, Any] = {"0": ("Add", {"a": 1.0})}
    for index in range(1, 1100):
        nodes[str(index)] = (
            "Switch",
            {"condition": True, "on_true": link(str(index - 1)), "on_false": 0.0},
        )
    assert run(nodes).outputs["result"] == 1.0


def test_a_long_chain_needs_no_recursion(run: Run) -> None:
    nodes: dict[str, Any] = {"0": ("Add", {"a": 1.0})}
    for index in range(1, 3000):
        nodes[str(index)] = ("Join", {"left": link(str(index - 1)), "right": 0.0})
    assert run(nodes).outputs["result"] == 1.0


def test_values_that_come_by_links_are_checked(run: Run) -> None:
    nodes = {"n": ("Add", {"a": 150.0}), "spin": ("Spin", {"metres": link("n")})}
    with pytest.raises(
        NodeError, match=r'Spin "spin": metres is 150\.0: Input should be less than or equal to 100'
    ):
        run(nodes)
    roll = {
        "d": ("Dye", {}),
        "n": ("Add", {"a": 2.0}),
        "p": ("Pack", {"cloth": link("d"), "how": {"kind": "roll", "width": link("n")}}),
    }
    assert "Roll(kind='roll', width=2.0)" in run(roll).outputs["result"]


def test_volatile_nodes_run_each_time(run: Run, calls: list[str]) -> None:
    nodes = {"clock": ("Clock", {}), "n": ("Add", {"a": link("clock")})}
    run(nodes)
    assert set(states(run(nodes)).values()) == {"ran"}
    assert calls.count("Clock") == 2


def test_a_file_known_only_in_the_run_is_read_once(run: Run, calls: list[str]) -> None:
    nodes = {"title": ("Pass", {"value": "red"}), "book": ("Read", {"title": link("title")})}
    assert run(nodes).outputs["result"] == "red2"
    assert run(nodes).nodes["book"].state == "stored"
    assert calls.count("Read") == 1


def test_a_file_named_by_a_link_that_is_not_there_is_the_nodes_failure(run: Run) -> None:
    nodes = {"title": ("Pass", {"value": "green"}), "book": ("Read", {"title": link("title")})}
    with pytest.raises(NodeError, match='Read "book": there is no book') as caught:
        run(nodes)
    assert isinstance(caught.value.__cause__, InputError)


def test_equal_bytes_from_a_volatile_node_cut_the_work_behind_it_off(
    run: Run, calls: list[str]
) -> None:
    nodes = {
        "dice": ("Dice", {}),
        "far": ("Pass", {"value": link("dice")}),
        "sum": ("Add", {"a": link("far"), "b": link("slow")}),
        "slow": ("Add", {"b": 2}),
        "end": ("Add", {"a": link("sum")}),
    }
    assert run(nodes).outputs["result"] == 6
    again = run(nodes)
    assert again.outputs["result"] == 6
    assert states(again) == {
        "dice": "ran", "far": "stored", "slow": "stored", "sum": "stored", "end": "stored",
    }  # fmt: skip
    assert calls == ["Dice", "Add", "Add", "Add", "Dice"]


def test_two_volatile_nodes_of_equal_bytes_share_what_follows(run: Run, calls: list[str]) -> None:
    nodes = {
        "a": ("Dice", {}), "b": ("Dice", {}),
        "x": ("Add", {"a": link("a")}), "y": ("Add", {"a": link("b")}),
        "sum": ("Join", {"left": link("x"), "right": link("y")}),
    }  # fmt: skip
    assert run(nodes).outputs["result"] == 4
    assert calls.count("Add") == 1


@pytest.mark.parametrize("kind", ["Add", "Linger"])
def test_targets_that_come_to_one_key_while_running_are_made_once(
    run: Run, calls: list[str], kind: str
) -> None:
    nodes = {
        "a": ("Dice", {}), "b": ("Dice", {}), "c": ("Pass", {"value": link("b")}),
        "x": (kind, {"a": link("a")}), "y": (kind, {"a": link("c")}), "z": (kind, {"a": link("b")}),
        "end": ("Add", {"a": link("z"), "b": 1}), "last": ("Pass", {"value": link("end")}),
    }  # fmt: skip
    result = run(flow(nodes, x="x.value", y="y.value", z="z.value", last="last.value"))
    assert result.outputs == {"x": 4, "y": 4, "z": 4, "last": 5}
    assert calls.count(kind) == (3 if kind == "Add" else 2)


def test_a_target_that_comes_to_the_key_of_one_under_way_waits_for_it(
    run: Run, calls: list[str]
) -> None:
    nodes = {
        "a": ("Dice", {}), "b": ("Dice", {}), "slow": ("Linger", {"a": 1.0}),
        "x": ("Join", {"left": link("a"), "right": link("slow")}),
        "z": ("Join", {"left": link("b"), "right": link("slow")}),
        "end": ("Add", {"a": link("x"), "b": 1}),
    }  # fmt: skip
    result = run(flow(nodes, b="b.value", x="x.value", z="z.value", end="end.value"))
    assert result.outputs == {"b": 4, "x": 4, "z": 4, "end": 5}
    assert calls == ["Dice", "Dice", "Linger", "Add"]


def test_a_file_behind_what_is_done_already_is_found_at_once(run: Run, calls: list[str]) -> None:
    nodes = {
        "count": ("Count", {"length": 0}),
        "title": ("Named", {"parts": link("count")}),
        "book": ("Read", {"title": link("title")}),
        "first": ("Write", {"text": link("title")}),
        "pick": ("Switch", {"condition": True, "on_true": link("book"), "on_false": "none"}),
    }
    ends = {"title": "title.value", "first": "first.value", "pick": "pick.value"}
    assert run(flow(nodes, **ends)).outputs["pick"] == "red2"
    assert run(flow(nodes, pick="pick.value", book="book.value")).outputs["book"] == "red2"
    assert calls.count("Read") == 1


def test_a_lazy_input_that_another_node_has_made_is_there(run: Run, calls: list[str]) -> None:
    nodes = {
        "a": ("Add", {"a": 1, "b": 2}),
        "same": ("Add", {"a": 1, "b": 2}),
        "seven": ("Add", {"a": link("a"), "b": 4}),
        "pick": ("Choose", {"condition": link("seven"), "on_true": link("same")}),
    }
    assert run(flow(nodes, a="a.value", pick="pick.value")).outputs == {"a": 3, "pick": 3}
    assert calls.count("Add") == 2


def test_a_file_named_by_a_link_is_read_with_its_other_inputs(run: Run, calls: list[str]) -> None:
    nodes = {
        "count": ("Count", {"length": 0}),
        "title": ("Named", {"parts": link("count")}),
        "page": ("Look", {"title": link("title"), "page": 2}),
        "first": ("Look", {"title": link("title")}),
    }
    result = run(flow(nodes, page="page.value", first="first.value"))
    assert result.outputs == {"page": "red 2", "first": "red 1"}


def test_a_long_node_goes_on_where_it_was_cut_off(
    store: Store, runtime: Runtime, monkeypatch: pytest.MonkeyPatch, calls: list[str]
) -> None:
    monkeypatch.setattr("engine.waypoints.SHARE", 1e9)
    program = compile_graph(flow({"n": ("March", {"steps": 6})}), toys.catalog, runtime)
    told: list[Any] = []

    def stop(event: Any) -> None:
        told.append(event)
        if isinstance(event, NodeProgressed) and event.done == 4:
            cancel.set()

    cancel = Event()
    with pytest.raises(Cancelled):
        execute(program, store, runtime, on_event=stop, cancel=cancel)
    assert calls == ["Step"] * 5
    result = execute(program, store, runtime)
    assert result.outputs["result"] == 6
    stored = 6 - (len(calls) - 5)
    assert 1 <= stored <= 5
    calls.clear()
    longer = compile_graph(flow({"n": ("March", {"steps": 8})}), toys.catalog, runtime)
    assert execute(longer, store, runtime).outputs["result"] == 8
    assert len(calls) < 8


def test_a_way_that_cannot_be_stored_warns_once_and_goes_on(
    store: Store, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.waypoints.SHARE", 1e9)
    told: list[Any] = []
    program = compile_graph(flow({"n": ("March", {"odd": True})}), toys.catalog, runtime)
    execute(program, store, runtime, on_event=told.append)
    (warning,) = [event for event in told if isinstance(event, Warned)]
    assert "the way so far could not be stored" in warning.message
    assert warning.node == "n"


def test_storing_the_way_takes_a_share_of_the_time_only(
    store: Store, runtime: Runtime, calls: list[str]
) -> None:
    program = compile_graph(flow({"n": ("March", {"steps": 50})}), toys.catalog, runtime)
    execute(program, store, runtime)
    assert store.size().records == 1


def test_waypoints_of_a_script_store_nothing() -> None:
    assert toys.march(steps=3) == 3


def test_a_volatile_node_behind_a_lazy_input_runs_only_if_asked(run: Run, calls: list[str]) -> None:
    nodes = {
        "dice": ("Dice", {}),
        "pick": ("Switch", {"condition": True, "on_true": 1.0, "on_false": link("dice")}),
        "end": ("Add", {"a": link("pick")}),
    }
    assert run(nodes).outputs["result"] == 1
    assert calls == ["Add"]
    assert states(run(nodes)) == {"dice": "skipped", "pick": "ran", "end": "stored"}


def test_what_cannot_be_stored_is_new_each_time(run: Run, calls: list[str]) -> None:
    told: list[Any] = []
    nodes = {"odd": ("Odd", {}), "n": ("Pass", {"value": link("odd")})}
    run(nodes, on_event=told.append)
    assert any(
        "could not be stored" in event.message for event in told if isinstance(event, Warned)
    )
    run(nodes)
    assert calls.count("Odd") == 2


def test_files_are_delivered_and_stored(
    run: Run, runtime: Runtime, calls: list[str], tmp_path: Path
) -> None:
    nodes = {"n": ("Write", {"text": "hello"})}
    artifact = run(nodes).outputs["result"]
    assert isinstance(artifact, Artifact)
    assert Path(artifact.path).read_text() == "hello"
    assert states(run(nodes)) == {"n": "stored"}
    Path(artifact.path).unlink()
    assert Path(run(nodes).outputs["result"].path).exists()
    elsewhere = replace(runtime, delivery=replace(runtime.delivery, folder=tmp_path / "elsewhere"))
    assert (
        run(nodes, runtime=elsewhere).outputs["result"].path.startswith(str(tmp_path / "elsewhere"))
    )
    assert calls.count("Write") == 3


def test_an_output_node_runs_without_being_named(run: Run) -> None:
    document = flow({"w": ("Write", {"text": "x"}), "n": ("Add", {})}, total="n.value").to_json()
    result = run(Workflow.from_json(document))
    assert set(result.outputs) == {"total", "w"}


def test_a_delivery_carries_the_workflow(run: Run, runtime: Runtime) -> None:
    seen: dict[str, Any] = {}

    def look(given: float, *, colour: str = "red", delivery: Delivery = here) -> float:
        """Look at what is lent."""
        seen.update(delivery.provenance)
        return 0.0

    catalog = Catalog(node_type(node("Look", category="test")(look)), toys.catalog["Add"])
    workflow = flow({"sum": ("Add", {"a": 2.0}), "n": ("Look", {"given": link("sum")})})
    execute(compile_graph(workflow, catalog, runtime), Store(), runtime)
    assert seen["workflow"] == workflow.to_json()
    assert seen["node"] == "n"
    assert seen["inputs"] == {"sum": {"a": 2.0, "b": 0.0}, "n": {"given": 2.0, "colour": "red"}}
    assert seen["profile"] == {"device": "cpu"}


def test_events_tell_what_happens(run: Run, runtime: Runtime) -> None:
    events: list[Any] = []
    run(SEWN, on_event=events.append)
    sewing = [event for event in events if event.node == "sewn"]
    assert isinstance(sewing[0], NodeStarted)
    steps = [event for event in sewing if isinstance(event, NodeProgressed)]
    assert [(step.done, step.total) for step in steps] == [(1, 3), (2, 3), (3, 3)]
    assert steps[0].preview is not None
    size = runtime.codecs.size({"value": Cloth("blue-2-3")})
    assert sewing[-1] == NodeFinished("sewn", "Sew", "ran", sewing[-1].seconds, size)
    events.clear()
    run(SEWN, on_event=events.append)
    assert [(event.node, event.state) for event in events] == [("sewn", "stored")]
    assert events[0].bytes == size


def test_a_failing_node_is_named_with_itsreason(run: Run) -> None:
    nodes = {
        "before": ("Add", {"a": 1.0}),
        "bad": ("Fail", {"value": link("before")}),
        "n": ("Add", {"a": link("bad")}),
    }
    with pytest.raises(NodeError, match='Fail "bad": it is torn: mend it') as caught:
        run(nodes)
    assert isinstance(caught.value.__cause__, ValueError)
    assert states(caught.value.result) == {"before": "ran", "bad": "failed", "n": "skipped"}
    assert caught.value.result.outputs == {}


def test_watchers_hear_of_a_node_that_fails(run: Run) -> None:
    events: list[Any] = []
    with pytest.raises(NodeError) as caught:
        run({"bad": ("Fail", {})}, on_event=events.append)
    assert [type(event) for event in events] == [NodeStarted, NodeFailed]
    assert (events[1].node, events[1].type_name) == ("bad", "Fail")
    assert events[1].error is caught.value
    assert events[1].reason == "it is torn: mend it"


def test_watchers_hear_of_a_file_that_cannot_be_told(run: Run) -> None:
    events: list[Any] = []
    nodes = {"name": ("Named", {"parts": [1]}), "book": ("Read", {"title": link("name")})}
    with pytest.raises(NodeError) as caught:
        run(nodes, on_event=events.append, runtime=Runtime(services={toys.Shelf: toys.Shelf(("blue",))}))  # fmt: skip
    assert [event.node for event in events if isinstance(event, NodeFailed)] == ["book"]
    assert states(caught.value.result) == {"name": "ran", "book": "failed"}


def test_a_node_run_tells_its_bytes(run: Run) -> None:
    first, second = run(SEWN), run(SEWN)
    assert first.nodes["sewn"].bytes == second.nodes["sewn"].bytes > 0


@pytest.mark.parametrize(("how", "reason"), [("memory", "out of memory"), ("bug", "KeyError: 'x'")])
def test_other_faults_have_a_reason_too(run: Run, how: str, reason: str) -> None:
    with pytest.raises(NodeError, match=reason):
        run({"n": ("Fail", {"how": how})})


def test_short_of_memory_a_node_is_called_again_without_what_was_idle(
    run: Run, runtime: Runtime, calls: list[str]
) -> None:
    idle = [3 * 2**20]
    events: list[Any] = []
    freeing = replace(runtime, free=lambda: idle.pop() if idle else 0)
    run({"n": ("Heavy", {})}, runtime=freeing, on_event=events.append)
    assert calls == ["Heavy", "Heavy"]
    assert [event for event in events if isinstance(event, Warned)] == [
        Warned("out of memory: it is tried again without idle models (3 MiB)", "n")
    ]


def test_short_of_memory_with_nothing_idle_a_node_fails(run: Run, calls: list[str]) -> None:
    with pytest.raises(NodeError, match="out of memory"):
        run({"n": ("Heavy", {})})
    assert calls == ["Heavy"]


def test_what_a_node_notices_is_told_with_its_name_or_logged(
    run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    events: list[Any] = []
    run({"n": ("Detour", {})}, on_event=events.append)
    assert [event for event in events if isinstance(event, Warned)] == [
        Warned("the bridge is closed: it goes round", "n")
    ]
    assert caplog.text == ""
    run({"n": ("Detour", {})})
    assert "the bridge is closed: it goes round" in caplog.text


def test_a_preview_may_notice_something_while_it_is_told_of(run: Run) -> None:
    seen: list[Any] = []

    def watch(event: Any) -> None:
        seen.append(event)
        if isinstance(event, NodeProgressed) and event.preview is not None:
            event.preview()

    run({"n": ("Detour", {"shows": True})}, on_event=watch)
    assert sum(isinstance(event, Warned) for event in seen) == 1


@pytest.mark.parametrize("nodes", [{"n": ("Fail", {"how": "exit"})}, {"n": ("Leave", {})}])
def test_a_node_cannot_end_the_program(run: Run, nodes: Any) -> None:
    with pytest.raises(NodeError, match="SystemExit: 3"):
        run(nodes)


def test_an_interrupt_in_a_node_is_passed_on(run: Run) -> None:
    with pytest.raises(KeyboardInterrupt):
        run({"n": ("Fail", {"how": "interrupt"})})


def test_a_result_that_json_cannot_hold_is_a_warning(run: Run) -> None:
    events: list[Any] = []
    assert run({"n": ("Endless", {})}, on_event=events.append).outputs["result"] == float("inf")
    assert any(isinstance(event, Warned) for event in events)


def test_a_watcher_that_fails_is_not_told_more(run: Run) -> None:
    told: list[Any] = []

    def broken(event: Any) -> None:
        told.append(event)
        raise BrokenPipeError

    assert run(SEWN, on_event=broken).outputs["result"] == Cloth("blue-2-3")
    assert len(told) == 1


def test_nothing_begins_after_a_cancellation(run: Run, gate: toys.Gate, calls: list[str]) -> None:
    cancel = Event()
    nodes = {
        "w": ("Wait", {"value": 7.0}),
        "a": ("Add", {"a": 1.0}),
        **{str(i): ("Spin", {"metres": float(i)}) for i in range(30)},
    }

    def watch(event: Any) -> None:
        if isinstance(event, NodeStarted) and event.node == "a":
            gate.reached.wait(5)
            cancel.set()

    with pytest.raises(Cancelled):
        run(flow(nodes, **{name: f"{name}.value" for name in nodes}), on_event=watch, cancel=cancel)
    assert calls.count("Spin") == 0


def test_reasons_without_a_text() -> None:
    from engine.caller import reason

    remedy = "take a smaller picture or batch, or close other programs"
    assert reason(MemoryError("4 GB")) == f"out of memory (4 GB): {remedy}"
    assert reason(RuntimeError("you can't allocate memory")).endswith(remedy)
    assert reason(ValueError()) == "ValueError"


def test_what_was_done_before_a_failure_is_kept(run: Run, calls: list[str]) -> None:
    bad = SEWN | {"f": ("Fail", {}), "n": ("Join", {"left": link("f"), "right": 0.0})}
    workflow = flow(bad, sewn="sewn.value", n="n.value")
    with pytest.raises(NodeError):
        run(workflow)
    calls.clear()
    run(SEWN)
    assert "Spin" not in calls or "Dye" not in calls or "Sew" not in calls


def test_a_cancelled_run_stops_at_the_next_progress(run: Run, gate: toys.Gate) -> None:
    cancel = Event()
    nodes = {
        "first": ("Add", {"a": 1.0}),
        "w": ("Wait", {"value": link("first")}),
        "n": ("Add", {"a": link("w")}),
    }

    def stop() -> None:
        gate.reached.wait(5)
        cancel.set()

    thread = Thread(target=stop)
    thread.start()
    with pytest.raises(Cancelled) as caught:
        run(nodes, cancel=cancel)
    thread.join()
    assert states(caught.value.result) == {"first": "ran", "w": "skipped", "n": "skipped"}
    gate.open.set()
    assert states(run(nodes))["first"] in {"stored", "ran"}


def test_a_run_cancelled_before_it_starts_does_nothing(run: Run, calls: list[str]) -> None:
    cancel = Event()
    cancel.set()
    with pytest.raises(Cancelled):
        run(SEWN, cancel=cancel)
    assert calls == []


def test_an_interrupt_ends_the_run_and_its_threads(
    run: Run, gate: toys.Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        if threading.current_thread() is threading.main_thread():
            raise KeyboardInterrupt

    monkeypatch.setattr("engine.executor._Run._see_cancel", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run({"w": ("Wait", {})})
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("darkroom")]


def lanes(one: Lane, other: Lane, seconds: float) -> Catalog:
    """Nodes that need each other to be running at once, or to never be."""
    inside: list[str] = []
    most: list[int] = []

    def busy(name: str) -> float:
        inside.append(name)
        most.append(len(inside))
        time.sleep(seconds)
        inside.remove(name)
        return float(max(most))

    def first(value: float = 0.0) -> float:
        """Be busy."""
        return busy("first")

    def second(value: float = 0.0) -> float:
        """Be busy."""
        return busy("second")

    return Catalog(
        node_type(node("First", category="test", lane=one)(first)),
        node_type(node("Second", category="test", lane=other)(second)),
        toys.catalog["Join"],
    )


BOTH = {
    "a": ("First", {}),
    "b": ("Second", {}),
    "n": ("Join", {"left": link("a"), "right": link("b")}),
}


@pytest.mark.parametrize(
    ("one", "other", "together"), [("cpu", "device", 2.0), ("device", "device", 1.0)]
)
def test_lanes_run_side_by_side_and_a_device_runs_one_node(
    runtime: Runtime, one: Lane, other: Lane, together: float
) -> None:
    catalog = lanes(one, other, 0.05)
    program = compile_graph(flow(BOTH, a="a.value", b="b.value"), catalog, runtime)
    result = execute(program, Store(), runtime)
    assert max(result.outputs.values()) == together


def test_slow_nodes_get_more_threads(runtime: Runtime) -> None:
    catalog = lanes("cpu", "cpu", 0.02)
    nodes = BOTH | {str(i): (kind, {"value": float(i)}) for i in range(1, 5) for kind in ["First"]}
    ends = {name: f"{name}.value" for name in nodes}
    result = execute(compile_graph(flow(nodes, **ends), catalog, runtime), Store(), runtime)
    assert max(value for name, value in result.outputs.items() if name != "n") >= 2.0


def test_a_result_that_cannot_be_stored_is_a_warning(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    events: list[Any] = []
    assert run(SEWN, on_event=events.append).outputs["result"] == Cloth("blue-2-3")
    assert any(isinstance(event, Warned) and "No space left" in event.message for event in events)
    assert run(SEWN | {"thread": ("Spin", {"metres": 9.0})}).outputs["result"] == Cloth("blue-9-3")


def test_a_record_damaged_after_planning_is_made_again(
    run: Run, runtime: Runtime, tmp_path: Path, calls: list[str]
) -> None:
    run(SEWN)
    for file in (tmp_path / "store").glob("??/*.json"):
        file.write_text("{}")
    calls.clear()
    result = run(SEWN, store=Store(tmp_path / "store", runtime.codecs))
    assert result.outputs["result"] == Cloth("blue-2-3")
    assert sorted(calls) == ["Dye", "Sew", "Spin"]


def test_a_released_value_is_fetched_again_for_a_lazy_input(run: Run) -> None:
    nodes = {
        "base": ("Dye", {}), "cut": ("Cut", {"cloth": link("base")}), "name": ("Stack", {"cloths": [link("cut", "left"), link("cut", "right")]}),
        "yes": ("Pass", {"value": True}), "late": ("Switch", {"condition": link("yes"), "on_true": link("after"), "on_false": link("base")}),
        "after": ("Sew", {"cloth": link("base"), "thread": link("t")}), "t": ("Spin", {}),
    }  # fmt: skip
    result = run(flow(nodes, name="name.value", late="late.value"))
    assert result.outputs == {"name": "red<+red>", "late": Cloth("red-1-1")}


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(2, "No such file", "a.png"), "a.png: No such file"),
        (OSError(28, "No space left"), "No space left"),
        (OSError("the network is away"), "the network is away"),
    ],
)
def test_the_systems_errors_are_told_without_numbers(error: OSError, words: str) -> None:
    from engine.caller import reason

    assert reason(error) == words


def test_the_first_failure_is_the_runs(runtime: Runtime, gate: toys.Gate) -> None:
    def late() -> float:
        """Fail while the other lane waits."""
        gate.reached.wait(5)
        raise ValueError("too late")

    catalog = Catalog(node_type(node("Late", category="test")(late)), toys.catalog["Wait"])
    workflow = flow({"w": ("Wait", {}), "f": ("Late", {})}, w="w.value", f="f.value")
    with pytest.raises(NodeError, match="too late"):
        execute(compile_graph(workflow, catalog, runtime), Store(), runtime)


@pytest.mark.parametrize("forgetful", [True, False], ids=["on disk", "in memory"])
def test_a_stored_file_of_another_folder_is_delivered_again(
    runtime: Runtime, tmp_path: Path, *, forgetful: bool
) -> None:
    workflow = flow({"text": ("Write", {"text": "a"})}, file="text.value")
    store = Store(tmp_path / "store", runtime.codecs)
    for _ in range(2):
        for user in ("ann", "bob"):
            if forgetful:
                store = Store(tmp_path / "store", runtime.codecs)
            delivery = Delivery(tmp_path / user / "out", tmp_path / user / "previews")
            lent = replace(runtime, delivery=delivery)
            program = compile_graph(workflow, toys.catalog, lent)
            first = execute(program, store, lent)
            again = execute(program, store, lent)
            for result in (first, again):
                path = Path(result.outputs["file"].path)
                assert path.is_relative_to(tmp_path / user)
                assert path.read_text() == "a"
            assert again.nodes["text"].state == "stored"
