"""How two workflows differ, in sentences and for programs."""

from copy import deepcopy
from typing import Any

import pytest

from engine.diff import differences
from engine.places import ABSENT, Place
from engine.workflow import Workflow

from .conftest import link

Json = dict[str, Any]
SCENE = "a red house at night, snow on the roof, a blue balloon over the chimney, soft light, film grain"
BASE: Json = {
    "darkroom": 1,
    "name": "Scene",
    "inputs": {"prompt": {"node": "positive", "input": "text"}},
    "outputs": {"image": {"node": "decode", "output": "value"}},
    "nodes": {
        "checkpoint": {"type": "LoadCheckpoint", "version": 1, "inputs": {"checkpoint": "a"}},
        "positive": {"type": "Encode", "version": 1, "inputs": {"text": SCENE}},
        "sampler": {
            "type": "Sample",
            "version": 1,
            "inputs": {"positive": link("positive"), "steps": 20, "seeds": [1, 2]},
        },
        "decode": {
            "type": "Decode",
            "version": 1,
            "inputs": {"vae": link("checkpoint", "vae"), "latents": [link("sampler")]},
        },
    },
    "view": {"nodes": {"sampler": {"x": 1}, "decode": {"x": 2}}, "notes": []},
}


def changed(edit: str, value: Any = ABSENT, document: Json = BASE) -> Json:
    """The document with the part at a dotted path set, or taken away."""
    document = deepcopy(document)
    *path, last = edit.split(".")
    table = document
    for name in path:
        table = table.setdefault(name, {})
    if value is ABSENT:
        del table[last]
    else:
        table[last] = value
    return document


def said(after: Json, before: Json = BASE) -> list[str]:
    return [
        change.sentence
        for change in differences(Workflow.from_json(before), Workflow.from_json(after))
    ]


def kinds(after: Json, before: Json = BASE) -> list[str]:
    return [
        change.kind for change in differences(Workflow.from_json(before), Workflow.from_json(after))
    ]


def test_equal_workflows_do_not_differ() -> None:
    turned = deepcopy(BASE)
    turned["nodes"] = dict(reversed(turned["nodes"].items()))
    assert said(BASE) == said(turned) == []


@pytest.mark.parametrize(
    ("edit", "value", "kind", "sentence"),
    [
        ("nodes.sampler.inputs.steps", 30, "input_changed", "sampler.steps: 20 → 30"),
        ("nodes.sampler.inputs.steps", 20.0, "input_changed", "sampler.steps: 20 → 20.0"),
        ("nodes.sampler.inputs.steps", ABSENT, "input_removed", "sampler.steps: 20 → default"),
        ("nodes.sampler.inputs.eta", None, "input_set", "sampler.eta: default → null"),
        (
            "nodes.sampler.inputs.steps",
            link("count"),
            "input_linked",
            "sampler.steps: 20 → count.value",
        ),
        (
            "nodes.decode.inputs.vae",
            link("better", "vae"),
            "input_linked",
            "decode.vae: checkpoint.vae → better.vae",
        ),
        (
            "nodes.decode.inputs.latents",
            [link("sampler"), link("other")],
            "input_changed",
            "decode.latents: [sampler.value] → [sampler.value, other.value]",
        ),
        ("nodes.upscale", {"type": "Upscale"}, "node_added", "+ upscale (Upscale)"),
        ("nodes.checkpoint", ABSENT, "node_removed", "- checkpoint (LoadCheckpoint)"),
        ("nodes.sampler.type", "Draw", "node_type_changed", "sampler: Sample 1 → Draw 1"),
        ("nodes.sampler.version", 2, "node_type_changed", "sampler: Sample 1 → Sample 2"),
        ("nodes.sampler.mode", "mute", "node_mode_changed", 'sampler mode: "normal" → "mute"'),
        ("nodes.sampler.each", ["seeds"], "node_key_changed", 'sampler each: nothing → ["seeds"]'),
        (
            "inputs.prompt",
            {"node": "other", "input": "text"},
            "named_input_changed",
            "input prompt: positive.text → other.text",
        ),
        (
            "inputs.prompt.label",
            "P",
            "named_input_changed",
            'input prompt: {node: "positive", input: "text"} → {node: "positive", input: "text", label: "P"}',
        ),
        ("inputs.prompt", ABSENT, "named_input_removed", "- input prompt (positive.text)"),
        (
            "inputs.steps",
            {"node": "sampler", "input": "steps"},
            "named_input_added",
            "+ input steps (sampler.steps)",
        ),
        (
            "outputs.image",
            {"node": "sampler", "output": "value"},
            "named_output_changed",
            "output image: decode.value → sampler.value",
        ),
        ("outputs.image", ABSENT, "named_output_removed", "- output image (decode.value)"),
        ("name", "Other", "document_changed", 'name: "Scene" → "Other"'),
        ("author", "A", "document_changed", 'author: nothing → "A"'),
        ("subgraphs.fine", {"nodes": {}}, "subgraph_added", "+ subgraph fine (0 nodes)"),
        ("view.nodes.sampler.x", 9, "view_changed", "view: 1 node moved"),
        ("view.notes", ["a"], "view_changed", "view: notes changed"),
        ("view.nodes", [], "view_changed", "view: nodes changed"),
        ("view", 3, "view_changed", "view: 2 nodes moved, notes changed, changed"),
    ],
)
def test_a_change_has_a_kind_and_a_sentence(
    edit: str, value: Any, kind: str, sentence: str
) -> None:
    after = changed(edit, value)
    ours = [(k, s) for k, s in zip(kinds(after), said(after), strict=True)]
    assert ours == [(kind, sentence)]


def test_a_removed_subgraph_is_said() -> None:
    before = changed("subgraphs.fine", {"nodes": {"a": {"type": "Dye"}}})
    assert said(BASE, before) == ["- subgraph fine (1 node)"]


def test_a_view_that_is_new_tells_what_is_placed() -> None:
    assert said(BASE, changed("view")) == ["view: 2 nodes moved, notes changed"]


def test_the_places_of_nodes_that_came_and_went_are_no_change() -> None:
    after = changed("nodes.upscale", {"type": "Upscale"}, changed("nodes.sampler"))
    after["view"]["nodes"] = {"upscale": {"x": 4}, "decode": {"x": 2}}
    assert kinds(after) == ["node_removed", "node_added"]


def test_a_changed_word_is_visible_in_a_long_text() -> None:
    after = changed("nodes.positive.inputs.text", SCENE.replace("blue", "dark green"))
    assert said(after) == [
        'positive.text: "… on the roof, a [-blue-]{+dark green+} balloon over the chimney, …"'
    ]


def test_a_change_has_an_address_and_both_values() -> None:
    inner = {"nodes": {"sharpen": {"type": "Sharpen", "version": 1, "inputs": {"amount": 1}}}}
    nested = {"nodes": {}, "subgraphs": {"deep": inner}}
    before = changed("subgraphs.fine", nested)
    after = changed("subgraphs.fine.subgraphs.deep.nodes.sharpen.inputs.amount", 2, before)

    (change,) = differences(Workflow.from_json(before), Workflow.from_json(after))

    assert change.place == Place(
        ("subgraphs", "fine", "subgraphs", "deep", "nodes", "sharpen", "inputs", "amount")
    )
    assert change.to_json() == {
        "kind": "input_changed",
        "graph": ["fine", "deep"],
        "node": "sharpen",
        "name": "amount",
        "before": 1,
        "after": 2,
        "text": "fine/deep/sharpen.amount: 1 → 2",
    }


def test_an_absent_side_is_not_null() -> None:
    (change,) = differences(
        Workflow.from_json(BASE), Workflow.from_json(changed("nodes.sampler.inputs.eta", None))
    )
    assert change.before is ABSENT
    assert "before" not in change.to_json()
    assert change.to_json()["after"] is None


def renamed_chain() -> Json:
    document = deepcopy(BASE)
    nodes = document["nodes"]
    nodes["words"] = nodes.pop("positive")
    nodes["draw"] = nodes.pop("sampler")
    nodes["draw"]["inputs"]["positive"] = link("words")
    nodes["decode"]["inputs"]["latents"] = [link("draw")]
    document["inputs"]["prompt"]["node"] = "words"
    document["view"]["nodes"]["draw"] = document["view"]["nodes"].pop("sampler")
    return document


def test_a_renamed_node_is_one_change_and_its_links_none() -> None:
    assert said(renamed_chain()) == ["positive is called words now", "sampler is called draw now"]


def test_a_node_without_a_place_is_renamed_too() -> None:
    after = changed("view", ABSENT, renamed_chain())
    assert said(after, changed("view"))[1:] == ["sampler is called draw now"]


def test_a_link_that_does_not_follow_a_renamed_node_is_a_change() -> None:
    after = changed("inputs.prompt.node", "positive", renamed_chain())
    assert said(after)[2:] == ["input prompt: words.text → positive.text"]


def test_equal_nodes_are_renamed_one_to_one() -> None:
    before = changed("nodes", {"a": {"type": "Dye"}, "b": {"type": "Dye"}, "c": {"type": "Spin"}})
    after = changed("nodes", {"x": {"type": "Dye"}, "c": {"type": "Sew"}})
    assert kinds(after, before) == ["node_renamed", "node_removed", "node_type_changed"]


def test_further_ends_of_a_named_input_follow() -> None:
    before = changed("inputs.prompt.also", [{"node": "positive", "input": "b"}])
    before["outputs"]["image"]["also"] = [{"node": 3}, "unknown"]
    after = deepcopy(before)
    after["nodes"]["words"] = after["nodes"].pop("positive")
    after["nodes"]["sampler"]["inputs"]["positive"] = link("words")
    after["inputs"]["prompt"] = {
        "node": "words",
        "input": "text",
        "also": [{"node": "words", "input": "b"}],
    }
    assert said(after, before) == ["positive is called words now"]


def test_a_sentence_is_one_line_whatever_the_names_are() -> None:
    after = changed("nodes.sampler.inputs.a\nb\x1b[1m", "x\n\ud800")
    (sentence,) = said(after)
    assert sentence == 'sampler.a\\nb\\x1b[1m: default → "x\\n\\ud800"'
