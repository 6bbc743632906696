"""Nodes that hold one value."""

from server.comfy.declared import Entry, Given, Input, flag, one, real, text, whole

_LARGEST = 2**63 - 1

ENTRIES = (
    Entry(
        "PrimitiveInt",
        (whole("value", 0, -_LARGEST, _LARGEST, control_after_generate=True),),
        (("INT", "INT"),),
        (one("Integer", value=Given("value")),),
        "utils/primitive",
        "Int",
    ),
    Entry(
        "PrimitiveFloat",
        (real("value", 0.0, -float(_LARGEST), float(_LARGEST)),),
        (("FLOAT", "FLOAT"),),
        (one("Number", value=Given("value")),),
        "utils/primitive",
        "Float",
    ),
    Entry(
        "PrimitiveStringMultiline",
        (text("value", multiline=True),),
        (("STRING", "STRING"),),
        (one("Text", value=Given("value")),),
        "utils/primitive",
        "String (Multiline)",
    ),
    Entry(
        "PrimitiveString",
        (text("value"),),
        (("STRING", "STRING"),),
        (one("Text", value=Given("value"), exports=False),),
        "utils/primitive",
        "String",
    ),
    Entry(
        "PrimitiveBoolean",
        (flag("value", default=False),),
        (("BOOLEAN", "BOOLEAN"),),
        (one("Boolean", value=Given("value")),),
        "utils/primitive",
        "Boolean",
    ),
    Entry(
        "StringConcatenate",
        (
            Input("string_a", "STRING", {"default": "", "multiline": True}),
            Input("string_b", "STRING", {"default": "", "multiline": True}),
            text("delimiter"),
        ),
        (("STRING", "STRING"),),
        (
            one(
                "JoinText",
                texts=[Given("string_a"), Given("string_b")],
                separator=Given("delimiter"),
                near="no delimiter stands beside an empty text",
            ),
        ),
        "utils/string",
        "Concatenate",
    ),
)
