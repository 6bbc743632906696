"""What two versions of a workflow become together."""

import json
from copy import deepcopy
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from engine.check import check
from engine.errors import Problem
from engine.merge import Merged, conflict_problems, merge
from engine.naming import uses
from engine.places import ABSENT, Place
from engine.runtime import Runtime
from engine.workflow import Workflow

from . import toys
from .conftest import link
from .test_diff import changed

Json = dict[str, Any]
BASE: Json = {
    "darkroom": 1,
    "name": "Sum",
    "inputs": {"first": {"node": "a", "input": "a"}},
    "outputs": {"sum": {"node": "c", "output": "value"}},
    "nodes": {
        "a": {"type": "Add", "version": 1, "inputs": {"a": 1.0, "b": 2.0}},
        "b": {"type": "Add", "version": 1, "inputs": {"a": 3.0}},
        "c": {"type": "Add", "version": 1, "inputs": {"a": link("a"), "b": link("b")}},
    },
    "view": {"nodes": {"a": {"x": 1}, "b": {"x": 2}}, "groups": ["g"], "zoom": 1},
}


def edited(edits: Json, document: Json = BASE) -> Json:
    for edit, value in edits.items():
        document = changed(edit, value, document)
    return document


def merged(ours: Json, theirs: Json, base: Json = BASE) -> Merged:
    """The merge of two sets of edits of the base."""
    mine, others = edited(ours, base), edited(theirs, base)
    return merge(*map(Workflow.from_json, (base, mine, others)))


def tree(result: Merged) -> Json:
    return result.document.to_json()


def listed(result: Merged) -> list[tuple[str, str]]:
    assert tree(result).get("conflicts", []) == [each.to_json() for each in result.conflicts]
    return [(str(each.place), each.why) for each in result.conflicts]


DISJOINT: list[tuple[Json, Json]] = [
    ({"nodes.a.inputs.a": 5.0}, {"nodes.a.inputs.b": 6.0}),
    ({"nodes.a.inputs.a": ABSENT}, {"nodes.a.inputs.c": 6.0}),
    ({"nodes.a.mode": "mute"}, {"nodes.a.version": 2}),
    ({"nodes.a.type": "Join"}, {"nodes.a.inputs.a": 2.0}),
    ({"nodes.d": {"type": "Dye", "version": 1, "inputs": {}}}, {"name": "Other"}),
    ({"inputs.first": ABSENT}, {"inputs.second": {"node": "b", "input": "a"}}),
    ({"outputs.sum.node": "a"}, {"outputs.other": {"node": "b", "output": "value"}}),
    ({"author": "A"}, {"licence": "B"}),
    ({"view.nodes.a.x": 7}, {"view.nodes.b.x": 8}),
    ({"view.zoom": 2}, {"view.groups": ["g", "h"]}),
    ({"view.groups": ["g", "h"]}, {"view.groups": []}),
    ({"view": ABSENT}, {"nodes.a.inputs.a": 2.0}),
]


@pytest.mark.parametrize(("ours", "theirs"), DISJOINT)
def test_edits_of_different_parts_go_together(ours: Json, theirs: Json) -> None:
    wanted = edited(theirs, edited(ours))
    if ours.get("view.groups") and theirs.get("view.groups") == []:
        wanted["view"]["groups"] = ["h"]
    for result in (merged(ours, theirs), merged(theirs, ours)):
        assert tree(result) == wanted
        assert listed(result) == []


@pytest.mark.parametrize(
    ("edit", "ours", "theirs", "place"),
    [
        ("nodes.a.inputs.a", 5.0, 6.0, "a.a"),
        ("nodes.a.inputs.a", ABSENT, 6.0, "a.a"),
        ("nodes.c.inputs.a", link("b"), 4.0, "c.a"),
        ("nodes.a.mode", "mute", "bypass", "a mode"),
        ("inputs.first.node", "b", "c", "input first"),
        ("outputs.sum", ABSENT, {"node": "a", "output": "value"}, "output sum"),
        ("name", "X", "Y", "name"),
        ("view.zoom", 5, 6, "view.zoom"),
        ("view", ABSENT, {"zoom": 2}, "view"),
    ],
)
def test_a_part_that_both_changed_is_a_conflict_and_stays_ours(
    edit: str, ours: Any, theirs: Any, place: str
) -> None:
    result = merged({edit: ours}, {edit: theirs, "author": "A"})

    assert listed(result) == [(place, "both sides changed it")]
    (conflict,) = result.conflicts
    document = tree(result)
    assert conflict.place.of(document) == conflict.sides.ours
    assert conflict.place.of(BASE | {"mode": ABSENT}) == conflict.sides.base
    assert document["author"] == "A"
    del document["conflicts"]
    assert document == edited({edit: ours, "author": "A"})


def test_where_a_node_stands_is_ours_to_say() -> None:
    result = merged({"view.nodes.a.x": 5}, {"view.nodes.a.x": 6})
    assert listed(result) == []
    assert tree(result)["view"]["nodes"]["a"] == {"x": 5}
    gone = merged({"view.nodes.a": ABSENT}, {"view.nodes.a.x": 6})
    assert tree(gone)["view"]["nodes"]["a"] == {"x": 6}


def test_type_and_version_are_one_part() -> None:
    result = merged({"nodes.a.type": "Join"}, {"nodes.a.version": 2})
    assert listed(result) == [("a type", "both sides changed it")]
    assert tree(result)["nodes"]["a"]["version"] == 1
    assert result.conflicts[0].to_json() == {
        "at": ["nodes", "a", "type"],
        "why": "both sides changed it",
        "base": {"type": "Add", "version": 1},
        "ours": {"type": "Join", "version": 1},
        "theirs": {"type": "Add", "version": 2},
    }


def test_a_conflict_keeps_the_absent_side_apart_from_null() -> None:
    (conflict,) = merged({"nodes.a.inputs.a": ABSENT}, {"nodes.a.inputs.a": None}).conflicts
    assert conflict.to_json() == {
        "at": ["nodes", "a", "inputs", "a"],
        "why": "both sides changed it",
        "base": 1.0,
        "theirs": None,
    }


WITHOUT_B: Json = {"nodes.b": ABSENT, "nodes.c.inputs.b": 0.0}


def test_a_node_that_one_side_removed_and_the_other_changed_is_a_conflict() -> None:
    theirs_changed = merged(WITHOUT_B, {"nodes.b.inputs.a": 9.0})
    ours_changed = merged({"nodes.b.inputs.a": 9.0}, WITHOUT_B)

    assert listed(theirs_changed) == [("b", "ours removed it, theirs changed it")]
    assert "b" not in tree(theirs_changed)["nodes"]
    assert listed(ours_changed) == [("b", "theirs removed it, ours changed it")]
    assert tree(ours_changed)["nodes"]["b"]["inputs"] == {"a": 9.0}


def test_a_removed_node_that_was_only_moved_is_gone() -> None:
    gone = WITHOUT_B | {"view.nodes.b": ABSENT}
    for result in (merged(gone, {"view.nodes.b.x": 9}), merged({"view.nodes.b.x": 9}, gone)):
        assert listed(result) == []
        assert tree(result) == edited(gone)


LINKED: list[tuple[Json, str, Any]] = [
    ({"nodes.a.inputs.b": link("b")}, "a.b", 2.0),
    ({"nodes.a.inputs.c": [1, link("b")]}, "a.c", ABSENT),
    ({"nodes.a.each": {"x": link("b")}}, "a each", ABSENT),
    ({"outputs.other": {"node": "b", "output": "value"}}, "output other", ABSENT),
    (
        {"inputs.first.also": [{"node": "b", "input": "a"}]},
        "input first",
        {"node": "a", "input": "a"},
    ),
]


@pytest.mark.parametrize(("linking", "place", "ours"), LINKED)
def test_a_new_link_of_theirs_to_a_node_that_ours_removed_gives_way(
    linking: Json, place: str, ours: Any
) -> None:
    result = merged(WITHOUT_B, linking)

    assert listed(result) == [(place, "theirs links it to b, which ours removed")]
    assert "b" not in tree(result)["nodes"]
    assert result.conflicts[0].place.of(tree(result)) == ours


@pytest.mark.parametrize("linking", [linking for linking, _, _ in LINKED])
def test_a_new_link_of_ours_keeps_the_node_that_theirs_removed(linking: Json) -> None:
    result = merged(linking, WITHOUT_B | {"view.nodes.b": ABSENT})

    (place, why) = listed(result)[0]
    assert (place, why[:29]) == ("b", "theirs removed it, ours needs")
    assert tree(result)["nodes"]["b"] == BASE["nodes"]["b"]
    assert tree(result)["view"]["nodes"]["b"] == {"x": 2}


def test_a_node_that_is_kept_keeps_those_that_it_links_to() -> None:
    base = edited({"nodes.b.inputs.a": link("d"), "nodes.d": {"type": "Spin"}})
    theirs: Json = WITHOUT_B | {"nodes.d": ABSENT, "view": ABSENT}
    result = merged({"nodes.a.inputs.b": link("b")}, theirs, base)

    assert [place for place, _ in listed(result)] == ["b", "d"]
    assert {"b", "d"} <= tree(result)["nodes"].keys()
    assert "view" not in tree(result)


def test_a_link_that_led_nowhere_stays_as_it_was() -> None:
    nowhere = {"nodes.a.inputs.b": link("nobody")}
    left = {"nodes.b": ABSENT}
    assert listed(merged(nowhere, {"name": "X"})) == []
    assert listed(merged({"name": "X"}, nowhere)) == []
    assert tree(merged({"name": "X"}, left))["nodes"]["c"]["inputs"]["b"] == link("b")
    assert listed(merged({"name": "X"}, left)) == []


def test_different_nodes_under_one_id_are_both_there() -> None:
    dye = {"type": "Dye", "version": 1, "inputs": {}}
    theirs: Json = {
        "nodes.d": {"type": "Spin", "version": 1, "inputs": {}},
        "nodes.e": {"type": "Pass", "version": 1, "inputs": {"value": link("d")}},
        "nodes.c.inputs.a": link("d"),
        "view.nodes.d": {"x": 5},
    }
    ours: Json = {
        "nodes.d": dye,
        "nodes.d-2": dye,
        "nodes.e": {"type": "Pass", "version": 1, "inputs": {"value": link("d")}},
    }
    result = merged(ours, theirs)

    assert listed(result) == []
    nodes = tree(result)["nodes"]
    assert (nodes["d"]["type"], nodes["d-3"]["type"]) == ("Dye", "Spin")
    assert nodes["c"]["inputs"]["a"] == link("d-3")
    assert nodes["e"]["inputs"]["value"] == link("d")
    assert nodes["e-2"]["inputs"]["value"] == link("d-3")
    assert tree(result)["view"]["nodes"]["d-3"] == {"x": 5}
    assert {str(place): new for place, new in result.renamed.items()} == {"d": "d-3", "e": "e-2"}


def test_an_equal_addition_of_both_is_there_once() -> None:
    dye = {"nodes.d": {"type": "Dye", "version": 1, "inputs": {}}}
    result = merged(dye, dye | {"name": "X"})
    assert list(tree(result)["nodes"]) == ["a", "b", "c", "d"]
    assert result.renamed == {}


def renaming(old: str, new: str) -> Json:
    edits = {f"nodes.{old}": ABSENT, f"nodes.{new}": BASE["nodes"][old]}
    return edits | {f"nodes.c.inputs.{old}": link(new)}


def test_an_edit_follows_a_node_that_the_other_side_renamed() -> None:
    wanted = edited(renaming("b", "start"))
    wanted["nodes"]["start"] = BASE["nodes"]["b"] | {"inputs": {"a": 9.0}}
    wanted["view"]["nodes"] = {"a": {"x": 1}, "b": {"x": 2}}
    for result in (
        merged(renaming("b", "start"), {"nodes.b.inputs.a": 9.0}),
        merged({"nodes.b.inputs.a": 9.0}, renaming("b", "start")),
    ):
        assert listed(result) == []
        assert tree(result)["nodes"] == wanted["nodes"]


def test_of_two_new_ids_of_a_node_ours_stays() -> None:
    result = merged(renaming("b", "one"), renaming("b", "two") | {"name": "X"})
    assert listed(result) == []
    assert tree(result)["nodes"].keys() == {"a", "c", "one"}
    assert tree(result)["nodes"]["c"]["inputs"]["b"] == link("one")


def test_the_same_new_id_on_both_sides_is_no_conflict() -> None:
    result = merged(renaming("b", "one") | {"author": "A"}, renaming("b", "one") | {"name": "X"})
    assert tree(result) == edited(renaming("b", "one") | {"author": "A", "name": "X"})


def test_a_new_id_that_the_other_side_took_is_no_renaming() -> None:
    dye = {"nodes.start": {"type": "Dye", "version": 1, "inputs": {}}}
    result = merged(renaming("b", "start"), dye)
    assert tree(result)["nodes"]["start-2"]["type"] == "Dye"
    assert listed(result) == []
    result = merged(dye, renaming("b", "start"))
    assert tree(result)["nodes"]["c"]["inputs"]["b"] == link("start-2")


def test_what_theirs_added_stands_behind_its_neighbour() -> None:
    dye = {"type": "Dye", "version": 1, "inputs": {}}
    mine, others = deepcopy(BASE), deepcopy(BASE)
    mine["nodes"] = {"c": mine["nodes"]["c"], "a": mine["nodes"]["a"], "b": mine["nodes"]["b"]}
    mine["nodes"]["ours"] = {"type": "Spin", "version": 1, "inputs": {}}
    nodes = list(others["nodes"].items())
    others["nodes"] = dict([("w", dye), nodes[0], ("x", dye), ("y", dye), *nodes[1:], ("z", dye)])

    result = merge(*map(Workflow.from_json, (BASE, mine, others)))

    assert list(tree(result)["nodes"]) == ["w", "c", "z", "a", "x", "y", "b", "ours"]


def test_keys_of_the_document_keep_their_order() -> None:
    result = merged({"author": "A"}, {"view.zoom": 4, "name": "X"})
    assert list(tree(result)) == list(Workflow.from_json(edited({"author": "A"})).to_json())


# Subgraphs

INNER: Json = {
    "inputs": {},
    "outputs": {"out": {"node": "p", "output": "value"}},
    "nodes": {"p": {"type": "Add", "version": 1, "inputs": {"a": 1.0, "b": 1.0}}},
}
STANDS: Json = {"type": "Subgraph", "version": 1, "inputs": {}, "graph": "twice"}
NESTED = edited({"subgraphs.twice": INNER, "nodes.s": STANDS})


def test_subgraphs_merge_by_their_parts() -> None:
    ours = {"subgraphs.twice.nodes.p.inputs.a": 2.0}
    both = merged(ours, {"subgraphs.twice.nodes.p.inputs.b": 3.0}, NESTED)
    against = merged(ours, {"subgraphs.twice.nodes.p.inputs.a": 3.0}, NESTED)

    assert tree(both)["subgraphs"]["twice"]["nodes"]["p"]["inputs"] == {"a": 2.0, "b": 3.0}
    assert listed(both) == []
    assert listed(against) == [("twice/p.a", "both sides changed it")]
    assert against.conflicts[0].to_json()["at"][:2] == ["subgraphs", "twice"]


def test_different_subgraphs_under_one_name_are_both_there() -> None:
    other = edited({"nodes.p.inputs.a": 5.0}, INNER)
    around = {"inputs": {}, "outputs": {}, "nodes": {"t": STANDS}}
    shadowing = around | {"subgraphs": {"twice": INNER}}
    ours = {"subgraphs.twice": INNER, "nodes.s": STANDS}
    theirs = {"subgraphs": {"twice": other, "around": around, "own": shadowing}, "nodes.s": STANDS}
    result = merged(ours, theirs)

    graphs = tree(result)["subgraphs"]
    assert graphs["twice"]["nodes"]["p"]["inputs"]["a"] == 1.0
    assert graphs["twice-2"]["nodes"]["p"]["inputs"]["a"] == 5.0
    assert graphs["around"]["nodes"]["t"]["graph"] == "twice-2"
    assert graphs["own"]["nodes"]["t"]["graph"] == "twice"
    assert tree(result)["nodes"]["s"]["graph"] == "twice"
    assert tree(result)["nodes"]["s-2"]["graph"] == "twice-2"
    assert {str(place) for place in result.renamed} == {"subgraph twice", "s"}
    assert listed(result) == []


GONE: Json = {"subgraphs": ABSENT, "nodes.s": ABSENT}
USED: Json = {"nodes.t": STANDS | {"title": "again"}}


def test_a_subgraph_that_one_side_removed_and_the_other_uses_is_a_conflict() -> None:
    ours_gone, theirs_gone = merged(GONE, USED, NESTED), merged(USED, GONE, NESTED)

    assert listed(ours_gone) == [
        ("subgraph twice", "ours removed it, a node of theirs stands for it")
    ]
    assert tree(ours_gone).get("subgraphs", {}) == {}
    assert listed(theirs_gone) == [
        ("subgraph twice", "theirs removed it, a node of ours stands for it")
    ]
    assert tree(theirs_gone)["subgraphs"]["twice"]["nodes"] == INNER["nodes"]


def test_a_subgraph_that_one_side_removed_and_the_other_changed_is_a_conflict() -> None:
    change = {"subgraphs.twice.nodes.p.inputs.a": 5.0}
    assert listed(merged(GONE, change | USED, NESTED)) == [
        ("subgraph twice", "ours removed it, theirs changed it")
    ]
    assert listed(merged(change, GONE, NESTED)) == [
        ("subgraph twice", "theirs removed it, ours changed it")
    ]


def test_a_node_that_names_no_subgraph_stays_as_it_was() -> None:
    lost = {"nodes.t": {"type": "Subgraph", "version": 1, "inputs": {}, "graph": "nobody"}}
    odd = {"nodes.u": {"type": "Subgraph", "version": 1, "inputs": {}, "graph": 3}}
    assert listed(merged(lost, odd, NESTED)) == []


# What is left open

OPEN = [{"at": ["nodes", "a", "inputs", "b"], "why": "both sides changed it", "ours": 1}]


def test_conflicts_of_an_earlier_merge_stay_until_they_are_settled() -> None:
    base = edited({"conflicts": OPEN})
    result = merged({"nodes.a.inputs.a": 5.0}, {"nodes.a.inputs.a": 6.0}, base)
    assert [entry["at"][-1] for entry in tree(result)["conflicts"]] == ["b", "a"]

    settled: Json = {"conflicts": [], "name": "X"}
    other = [*OPEN, {"at": ["name"], "why": ""}]
    assert tree(merged(settled, {"conflicts": other}, base))["conflicts"] == other[1:]


def test_conflicts_that_are_no_list_are_not_lost() -> None:
    base = edited({"conflicts": 3})
    result = merged({"name": "X"}, {"name": "Y"}, base)
    assert tree(result)["conflicts"][0] == 3
    assert [each.place.path for each in merged({"conflicts": 4}, {"conflicts": 5}, base).conflicts] == [("conflicts",)]  # fmt: skip


def problems(conflicts: Any) -> list[Problem]:
    workflow = Workflow.from_json(edited({"conflicts": conflicts}))
    assert check(workflow, toys.catalog, Runtime()) == conflict_problems(workflow)
    return conflict_problems(workflow)


def test_a_check_reports_each_conflict_with_its_place_and_values() -> None:
    entry = {"at": ["nodes", "a", "inputs", "a"], "base": 1, "ours": 2, "theirs": 3}
    (problem,) = problems([entry])
    assert problem == Problem(
        "merge_conflict",
        "a.a is open since a merge: both sides changed it; ours is 2, theirs is 3, before it was 1",
        "a",
        "a",
        'give a.a the value it shall have, then delete the entry from "conflicts"',
    )


def test_the_difference_of_long_values_in_conflict_is_visible() -> None:
    words = " ".join(f"word{n}" for n in range(40))
    entry = {"at": ["name"], "ours": words, "theirs": words.replace("word20", "other")}
    (problem,) = problems([entry])
    assert "[-word20-]{+other+}" in problem.message
    assert "before it was nothing" in problem.message
    assert (problem.node, problem.input) == (None, "name")


def test_a_conflict_inside_a_subgraph_is_addressed_through_it() -> None:
    (problem,) = conflict_problems(
        Workflow(extra={"conflicts": [{"at": ["subgraphs", "s", "nodes", "p", "mode"]}]})
    )
    assert (problem.node, problem.input) == ("s/p", "mode")


@pytest.mark.parametrize("entry", [3, {}, {"at": "name"}, {"at": []}, {"at": [1]}])
def test_an_entry_without_a_place_is_a_problem_too(entry: Any) -> None:
    (problem,) = problems([entry])
    assert problem.code == "merge_conflict"
    assert "names no place" in problem.message
    assert len(problems(entry)) == (0 if entry == [] else 1)


# Whatever the documents are

IDS = ["a", "b", "c", "d", "e"]


def some_graph(chance: Random) -> Json:
    """A small graph; its links lead to its own nodes."""
    ids = chance.sample(IDS, chance.randint(1, 5))

    def value() -> Any:
        number, one, two = chance.randint(0, 2), *(link(chance.choice(ids)) for _ in "ab")
        return chance.choice([number, one, [one, two]])

    nodes = {
        node: {
            "type": chance.choice(["Add", "Join"]),
            "version": 1,
            "inputs": {name: value() for name in "xy" if chance.random() < 0.7},
        }
        for node in ids
    }
    outputs = {
        name: {"node": chance.choice(ids), "output": "value"}
        for name in "pq"
        if chance.random() < 0.5
    }
    places = {node: chance.randint(0, 2) for node in ids if chance.random() < 0.5}
    return {"inputs": {}, "outputs": outputs, "nodes": nodes, "view": {"nodes": places}}


def some_workflow(chance: Random) -> Workflow:
    document: Json = {"darkroom": 1, "name": chance.choice("nm")} | some_graph(chance)
    names = chance.sample("st", chance.randint(0, 2))
    if names:
        document["subgraphs"] = {name: some_graph(chance) for name in names}
        chance.choice(list(document["nodes"].values()))["graph"] = chance.choice(names)
    return Workflow.from_json(document)


triples = st.integers(0, 2**32).map(Random).map(lambda chance: [some_workflow(chance) for _ in "abc"])  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(triples)
def test_a_side_that_changed_nothing_adds_nothing(triple: list[Workflow]) -> None:
    base, other, _ = triple
    for sides in ((base, other), (other, base), (other, other)):
        result = merge(base, *sides)
        assert result.document.text() == other.text()
        assert result.conflicts == ()


def loose(graph: Json) -> set[str]:
    """The nodes that something in a graph leads to and that are not there."""
    found = {node for _, nodes in uses(graph) for node in nodes if node not in graph["nodes"]}
    return found.union(*(loose(inner) for inner in graph.get("subgraphs", {}).values()))


@settings(max_examples=100, deadline=None)
@given(triples)
def test_any_three_documents_merge_into_one_without_loose_ends(triple: list[Workflow]) -> None:
    result = merge(*triple)
    document = tree(result)
    assert Workflow.parse(result.document.text()).text() == result.document.text()
    assert loose(document) == set()
    assert ("conflicts" in document) == bool(result.conflicts)
    assert len(conflict_problems(result.document)) == len(result.conflicts)


@settings(max_examples=100, deadline=None)
@given(triples)
def test_every_value_of_theirs_that_is_new_is_there_or_listed(triple: list[Workflow]) -> None:
    base, ours, theirs = triple
    result = merge(base, ours, theirs)
    kept = json.dumps(result.document.to_json())
    for node_id, node in theirs.nodes.items():
        if node_id not in base.nodes:
            assert node.type in kept
            continue
        for name, value in node.inputs.items():
            old = base.nodes[node_id].inputs.get(name, ABSENT)
            if isinstance(value, int) and value != old and node_id in ours.nodes:
                at = Place(("nodes", node_id, "inputs", name))
                listed_there = [each.sides.theirs for each in result.conflicts if each.place == at]
                there = at.of(result.document.to_json())
                whole = any(each.place == Place(("nodes", node_id)) for each in result.conflicts)
                assert there == value or listed_there == [value] or whole


parts = st.sampled_from(
    [
        "nodes.a.inputs.a",
        "nodes.a.inputs.z",
        "nodes.a.mode",
        "nodes.b.inputs.a",
        "nodes.c.inputs.b",
        "nodes.new",
        "inputs.first",
        "outputs.more",
        "name",
        "author",
        "view.nodes.a",
        "view.zoom",
        "subgraphs.twice.nodes.p.inputs.a",
        "subgraphs.twice.nodes.q",
    ]
)


def edit_of(part: str, number: int) -> Any:
    """A value for a part that no other number gives."""
    table = part.split(".")[-2:]
    if table[0] == "nodes" and "view" not in part:
        return {"type": "Add", "version": 1, "inputs": {"a": number + 50}}
    if table[0] in {"inputs", "outputs"} and part.count(".") == 1:
        return {"node": "a", table[0][:-1]: f"v{number}"}
    return {"mode": "mute", "name": f"n{number}"}.get(table[-1], number + 50)


@settings(max_examples=60, deadline=None)
@given(st.lists(parts, unique=True), st.integers(0, 14))
def test_disjoint_edits_are_both_there(edits: list[str], cut: int) -> None:
    values = {part: edit_of(part, number) for number, part in enumerate(edits)}
    ours = {part: values[part] for part in edits[:cut]}
    theirs = {part: values[part] for part in edits[cut:]}
    result = merged(ours, theirs, NESTED)
    assert tree(result) == Workflow.from_json(edited(values, NESTED)).to_json()
    assert result.conflicts == ()
