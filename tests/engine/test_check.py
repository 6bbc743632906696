"""Validation: every problem at once, each with its address and the nearest fix."""

from collections.abc import Callable
from typing import Annotated, Any

import pytest
from pydantic import Field

from engine.check import check, compile_graph, judge
from engine.errors import GraphError, Problem
from engine.literals import expected
from engine.node import node, node_type
from engine.runtime import Runtime
from engine.workflow import Workflow

from .conftest import SEWN, flow, link
from .toys import Cloth, catalog

Check = Callable[..., list[Problem]]


@pytest.fixture
def problems(runtime: Runtime) -> Check:
    def problems(nodes: dict[str, Any], **outputs: str) -> list[Problem]:
        return check(flow(nodes, **outputs), catalog, runtime)

    return problems


def test_a_right_graph_has_no_problems(problems: Check) -> None:
    assert problems(SEWN) == []


@pytest.mark.parametrize(
    ("nodes", "code", "message", "place", "hint"),
    [
        ({"n": ("Sow", {})}, "unknown_node", "no node type 'Sow'; the nearest is Sew", ("n", None), "Sew"),
        ({"n": ("Zzzz", {})}, "unknown_node", "`darkroom nodes` lists them", ("n", None), None),
        ({"n": ("Dye", {"color": "red"})}, "unknown_input", "no input 'color'; it has colour", ("n", "color"), "colour"),
        ({"n": ("Clock", {"x": 1})}, "unknown_input", "it has none", ("n", "x"), None),
        ({"n": ("Dye", {"colour": "rod"})}, "out_of_range", "give one of red, blue", ("n", "colour"), "red"),
        ({"n": ("Dye", {"colour": "BL"})}, "out_of_range", "give one of red, blue", ("n", "colour"), "blue"),
        ({"n": ("Dye", {"colour": "Red-wine"})}, "out_of_range", "give one of red, blue", ("n", "colour"), "red"),
        ({"n": ("Dye", {"colour": " "})}, "out_of_range", "give one of red, blue", ("n", "colour"), None),
        ({"n": ("Dye", {"colour": 3})}, "out_of_range", "colour is 3", ("n", "colour"), None),
        ({"n": ("Spin", {"metres": 200})}, "out_of_range", "from 0 to 100", ("n", "metres"), "100"),
        ({"n": ("Spin", {"metres": -1})}, "out_of_range", "metres is -1", ("n", "metres"), "0"),
        ({"n": ("Spin", {"metres": "3"})}, "wrong_type", "give a number from 0", ("n", "metres"), None),
        ({"n": ("Spin", {"metres": True})}, "wrong_type", "metres is True", ("n", "metres"), None),
        ({"n": ("Add", {"a": float("nan")})}, "bad_value", "a: ", ("n", "a"), None),
        ({"n": ("Cut", {"cloth": "red"})}, "wrong_type", "takes a link to Cloth, not the value 'red'", ("n", "cloth"), None),
        ({"n": ("Cut", {})}, "missing_input", "cloth is missing: link it to Cloth", ("n", "cloth"), None),
        ({"n": ("Write", {})}, "missing_input", "give a text", ("n", "text"), None),
        ({"n": ("Cut", {"cloth": link("far")})}, "unknown_link", 'the node "far", which is not there', ("n", "cloth"), None),
        ({"n": ("Read", {"title": "green"})}, "missing_file", "there are blue, red", ("n", "title"), "blue"),
        ({"n": ("Stack", {"cloths": [1]})}, "wrong_type", "cloths", ("n", "cloths"), None),
    ],
)  # fmt: skip
def test_a_fault_of_one_node(  # noqa: PLR0917 - a row of the table
    problems: Check,
    nodes: Any,
    code: str,
    message: str,
    place: tuple[str, str | None],
    hint: str | None,
) -> None:
    output = next(iter(catalog[nodes["n"][0]].outputs)) if nodes["n"][0] in catalog else "value"
    (problem,) = problems(nodes, result=f"n.{output}")
    assert problem.code == code
    assert message in problem.message
    assert (problem.node, problem.input) == place
    assert problem.hint == hint


def test_a_link_to_a_misspelt_node_gives_the_nearest(problems: Check) -> None:
    (problem,) = problems(
        {"cloth": ("Dye", {}), "n": ("Cut", {"cloth": link("clothe")})}, r="n.left"
    )
    assert problem.hint == "cloth"


def test_a_missing_input_names_what_would_fit(problems: Check) -> None:
    (problem,) = problems({"dye": ("Dye", {}), "cut": ("Cut", {})}, left="cut.left")
    assert problem.hint == "dye.value"
    assert "here dye.value would fit" in problem.message


def test_a_wrong_link_names_both_types_and_what_fits(problems: Check) -> None:
    nodes = {"dye": ("Dye", {}), "spin": ("Spin", {}), "cut": ("Cut", {"cloth": link("spin")})}
    (problem,) = problems(nodes, left="cut.left")
    assert problem.code == "wrong_link"
    assert problem.message == 'Cut "cut": cloth takes Cloth, but spin.value gives Thread'
    assert problem.hint == "dye.value"


def test_an_unknown_output_names_those_there_are(problems: Check) -> None:
    nodes = {
        "dye": ("Dye", {}),
        "cut": ("Cut", {"cloth": link("dye")}),
        "again": ("Cut", {"cloth": link("cut", "lefd")}),
    }
    (problem,) = problems(nodes, left="again.left")
    assert problem.code == "unknown_link"
    assert "which has left, right" in problem.message
    assert problem.hint == "left"


def test_lists_of_links_are_checked_one_by_one(problems: Check) -> None:
    nodes = {
        "dye": ("Dye", {}),
        "spin": ("Spin", {}),
        "stack": ("Stack", {"cloths": [link("dye"), link("spin")]}),
    }
    assert [p.code for p in problems(nodes)] == ["wrong_link"]
    nodes["stack"] = ("Stack", {"cloths": [link("dye")]})
    (problem,) = problems(nodes)
    assert problem.code == "out_of_range"
    assert "at least 2" in problem.message
    nodes["stack"] = ("Stack", {"cloths": [link("dye"), link("dye")]})
    assert problems(nodes) == []


def test_links_inside_a_choice_are_left_to_the_run(problems: Check) -> None:
    nodes = {
        "dye": ("Dye", {}),
        "n": ("Add", {}),
        "pack": ("Pack", {"cloth": link("dye"), "how": {"kind": "roll", "width": link("n")}}),
    }
    assert problems(nodes) == []


def test_a_fault_inside_a_choice_says_where(problems: Check) -> None:
    nodes = {
        "dye": ("Dye", {}),
        "pack": ("Pack", {"cloth": link("dye"), "how": {"kind": "fold", "times": 9}}),
    }
    (problem,) = problems(nodes)
    assert "how.fold.times is 9" in problem.message
    assert problem.code == "out_of_range"


def test_type_variables_must_agree(problems: Check) -> None:
    nodes = {
        "dye": ("Dye", {}),
        "spin": ("Spin", {}),
        "s": ("Switch", {"condition": True, "on_true": link("dye"), "on_false": link("spin")}),
    }
    (problem,) = problems(nodes)
    assert problem.code == "wrong_link"
    assert "on_false takes Cloth" in problem.message


def test_type_variables_pass_their_type_on(problems: Check) -> None:
    nodes = {
        "spin": ("Spin", {}),
        "pass": ("Pass", {"value": link("spin")}),
        "cut": ("Cut", {"cloth": link("pass")}),
    }
    (problem,) = problems(nodes, left="cut.left")
    assert "takes Cloth, but pass.value gives Thread" in problem.message


def test_a_literal_binds_a_type_variable(problems: Check) -> None:
    nodes = {"pass": ("Pass", {"value": "text"}), "add": ("Add", {"a": link("pass")})}
    assert [p.code for p in problems(nodes)] == ["wrong_link"]


def test_cycles_are_named_by_their_path(problems: Check) -> None:
    nodes = {
        "good": ("Add", {}), "a": ("Add", {"a": link("c"), "b": link("good")}), "b": ("Add", {"a": link("a")}), "c": ("Add", {"a": link("b")}),
        "self": ("Add", {"a": link("self")}), "after": ("Add", {"a": link("c")}),
    }  # fmt: skip
    found = problems(nodes, after="after.value", itself="self.value")
    assert {p.code for p in found} == {"cycle"}
    messages = sorted(p.message for p in found)
    assert any("a → b → c → a" in m for m in messages)
    assert any("self → self" in m for m in messages)
    assert len(found) == 2


def test_endpoints_that_lead_nowhere(runtime: Runtime) -> None:
    nodes = flow(SEWN).to_json()["nodes"]
    document = {
        "darkroom": 1,
        "nodes": nodes,
        "inputs": {"a": {"node": "none", "input": "x"}, "b": {"node": "cloth", "input": "x"}},
        "outputs": {"c": {"node": "none", "output": "x"}, "d": {"node": "cloth", "output": "x"}},
    }
    found = check(Workflow.from_json(document), catalog, runtime)
    assert [p.code for p in found] == ["unknown_endpoint"] * 4
    assert "input 'a' leads to none.x" in found[0].message


def test_nothing_to_make_is_a_problem(runtime: Runtime) -> None:
    workflow = Workflow.from_json({"darkroom": 1, "nodes": {"n": {"type": "Add"}}})
    (problem,) = check(workflow, catalog, runtime)
    assert problem.code == "no_output"


def test_all_problems_come_at_once(runtime: Runtime) -> None:
    nodes = {
        "a": ("Sow", {}),
        "b": ("Cut", {"cloth": link("a")}),
        "c": ("Spin", {"metres": 900, "x": 1}),
        "d": ("Cut", {}),
    }
    with pytest.raises(GraphError) as caught:
        compile_graph(flow(nodes, r="d.left", b="b.left", c="c.value"), catalog, runtime)
    assert [p.code for p in caught.value.problems] == [
        "unknown_node",
        "unknown_input",
        "out_of_range",
        "missing_input",
    ]


IDLE: dict[str, Any] = {
    "dye": ("Dye", {}),
    "cut": ("Cut", {}),
    "again": ("Cut", {"cloth": link("cut", "left")}),
    "a": ("Add", {"a": link("b")}),
    "b": ("Add", {"a": link("a"), "b": link("gone")}),
}


def test_what_no_output_depends_on_is_told_and_left_out(runtime: Runtime) -> None:
    workflow = flow(IDLE, cloth="dye.value")
    verdict = judge(workflow, catalog, runtime)
    assert verdict.problems == []
    assert [(p.code, p.node) for p in verdict.warnings] == [
        ("cycle", "a"),
        ("missing_input", "cut"),
    ]
    program = compile_graph(workflow, catalog, runtime)
    assert list(program.calls) == ["dye"]
    assert list(program.warnings) == verdict.warnings


def test_the_same_faults_count_where_an_output_depends_on_them(runtime: Runtime) -> None:
    verdict = judge(flow(IDLE, left="again.left", number="a.value"), catalog, runtime)
    assert verdict.warnings == []
    assert {p.node for p in verdict.problems} == {"cut", "a"}


def test_every_fault_counts_where_nothing_is_asked_for(runtime: Runtime) -> None:
    nodes = Workflow.from_json(
        {"darkroom": 1, "nodes": {"cut": {"type": "Cut", "version": 1, "inputs": {}}}}
    )
    assert [p.code for p in check(nodes, catalog, runtime)] == ["missing_input"]


def test_a_number_that_is_no_multiple_is_told_the_nearest(problems: Check) -> None:
    (problem,) = problems({"n": ("Weave", {"threads": 21})})
    assert "from 8 to 64, a multiple of 8" in problem.message
    assert problem.hint == "24"


def test_values_that_do_not_go_together_are_a_problem(problems: Check) -> None:
    (problem,) = problems({"n": ("Embroider", {"metres": 0.5})})
    assert (problem.code, problem.input, problem.hint) == ("too_short", "metres", "1.0")
    assert problems({"n": ("Embroider", {"metres": 0.5, "colour": "blue"})}) == []
    linked = {"a": ("Add", {"a": 0.5}), "n": ("Embroider", {"metres": link("a")})}
    assert problems(linked) == []


def test_an_unreadable_file_is_a_problem(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(title: str) -> str:
        raise PermissionError(13, "Permission denied", title)

    monkeypatch.setitem(vars(catalog["Read"]), "fingerprint", broken)
    (problem,) = check(flow({"n": ("Read", {})}), catalog, runtime)
    assert problem.code == "unreadable_file"
    assert (problem.node, problem.input) == ("n", "title")


def muted(mode: str, nodes: dict[str, Any], node: str, **outputs: str) -> Workflow:
    document = flow(nodes, **outputs).to_json()
    document["nodes"][node]["mode"] = mode
    return Workflow.from_json(document)


def test_a_bypassed_node_passes_its_first_fitting_link_on(runtime: Runtime) -> None:
    program = compile_graph(muted("bypass", SEWN, "sewn", result="sewn.value"), catalog, runtime)
    assert program.targets == ("cloth",)
    nodes = SEWN | {"again": ("Sew", {"cloth": link("sewn"), "thread": link("thread")})}
    program = compile_graph(muted("bypass", nodes, "sewn"), catalog, runtime)
    assert program.calls["again"].eager[0].node == "cloth"


def test_a_muted_node_is_as_if_not_there(runtime: Runtime) -> None:
    nodes = {"one": ("Add", {"a": 1.0}), "two": ("Add", {"a": link("one"), "b": 2.0})}
    program = compile_graph(muted("mute", nodes, "one"), catalog, runtime)
    assert list(program.calls) == ["two"]
    assert program.calls["two"].linked == set()
    (problem,) = check(muted("mute", SEWN, "cloth"), catalog, runtime)
    assert problem.code == "missing_input"
    assert (
        check(
            muted("mute", {"a": ("Write", {"text": "x"}), "b": ("Zzz", {})}, "b", r="a.value"),
            catalog,
            runtime,
        )
        == []
    )


def test_a_bypassed_switch_passes_a_branch_on_and_not_its_condition(runtime: Runtime) -> None:
    nodes = {
        "yes": ("Pass", {"value": True}),
        "red": ("Dye", {}),
        "s": (
            "Switch",
            {"condition": link("yes"), "on_true": link("red"), "on_false": link("red")},
        ),
    }
    assert compile_graph(muted("bypass", nodes, "s"), catalog, runtime).targets == ("red",)


def test_a_bypass_with_nothing_to_pass_on_is_a_mute(runtime: Runtime) -> None:
    nodes = {
        "spin": ("Spin", {}),
        "sew": ("Sew", {"cloth": link("dye"), "thread": link("spin")}),
        "dye": ("Dye", {}),
    }
    (problem,) = check(muted("bypass", nodes, "dye", r="sew.value"), catalog, runtime)
    assert problem.code == "missing_input"
    loop = {"a": ("Pass", {"value": link("a")}), "b": ("Add", {"a": link("a")})}
    assert check(muted("bypass", loop, "a", r="b.value"), catalog, runtime) == []
    unknown = {
        "a": ("Add", {"a": link("b", "nothing")}),
        "b": ("Cut", {"cloth": link("c")}),
        "c": ("Dye", {}),
    }
    assert check(muted("bypass", unknown, "b", r="a.value"), catalog, runtime) == []


def test_a_text_of_the_wrong_length_is_told_the_right_one() -> None:
    @node("Label", category="cloth")
    def label(*, text: Annotated[str, Field(min_length=1, max_length=8)]) -> Cloth:
        """Sew a label."""
        return Cloth(text)

    wanted = expected(node_type(label).inputs["text"])
    assert wanted == "give a text of 1 to 8 characters"


@pytest.mark.parametrize(
    ("extra", "wanted"),
    [({}, r"give a text that matches ^\S*$"), ({"wanted": "without spaces"}, "give a text without spaces")],
)  # fmt: skip
def test_a_text_of_the_wrong_form_is_told_the_right_one(extra: dict[str, str], wanted: str) -> None:
    @node("Mark", category="cloth")
    def mark(
        *, text: Annotated[str, Field(pattern=r"^\S*$", json_schema_extra={**extra})]
    ) -> Cloth:
        """Mark a cloth."""
        return Cloth(text)

    assert expected(node_type(mark).inputs["text"]) == wanted
