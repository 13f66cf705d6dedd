"""What docs/keras_names.md calls supported is there, whether or not Keras is installed."""


def test_names_called_supported_exist(load_tool):
    tool = load_tool("keras_names")
    text = tool.PAGE.read_text(encoding="utf-8")
    names = tool.names_called_supported(text)
    assert len(names) > 500 and {"layers.Dense", "Model", "datasets.imdb.load_data", "Input"} <= set(names)
    assert tool.missing_names(text) == []
    assert tool.missing_names("## layers\n\nHere: `Dense`, `Danse`.\n\n| `Conv4D` | without `x` |\n") == [
        "layers.Danse",
        "layers.Conv4D",
    ]
