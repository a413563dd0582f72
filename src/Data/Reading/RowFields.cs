using System.Text.Json;

namespace SafeLlama.Data;

/// <summary>The fields of one row by name; a missing field or a wrong type becomes a fault.</summary>
internal sealed class RowFields(RawRow row, RowSource source, List<DataFault> faults, string prefix = "")
{
    private readonly HashSet<string> _used = new(StringComparer.Ordinal);
    private readonly List<(string List, RowFields Item)> _inner = [];

    public RawRow Row => row;

    public RowSource Source => source;

    public bool Has(string name) => row.Fields.ContainsKey(name);

    public string Names() => row.Fields.Count == 0
        ? "no field"
        : string.Join(", ", row.Fields.Keys.Take(12).Select(name => $"\"{name}\""));

    /// <summary>Fields that were not read; those inside a list are named <c>list[].field</c>, once a row.</summary>
    public IEnumerable<string> Unused() => row.Fields.Keys.Where(name => !_used.Contains(name))
        .Concat(_inner.SelectMany(inner => inner.Item.Unused().Select(name => $"{inner.List}[].{name}")).Distinct());

    public void Fault(string field, string reason) =>
        faults.Add(new DataFault(source, field.Length == 0 ? "" : prefix + field, reason));

    /// <summary>A required text that must not be blank.</summary>
    public string Required(string name)
    {
        var text = Text(name, "is missing.", "is null, expected text.");
        if (text is not null && string.IsNullOrWhiteSpace(text))
        {
            Fault(name, "is empty.");
        }

        return text ?? "";
    }

    /// <summary>A required text that may be empty, as an answer of which only the end is learned.</summary>
    public string Answer(string name) =>
        Text(name, "is missing; every example to train on needs an answer.", "is null, expected text.") ?? "";

    /// <summary>A text that may be missing or null; both are read as empty.</summary>
    public string OptionalText(string name) => Text(name, missing: null, isNull: null) ?? "";

    /// <summary>An <c>id</c>: text or a number.</summary>
    public string IdText()
    {
        if (row.Fields.TryGetValue("id", out var value) && value.ValueKind == JsonValueKind.Number)
        {
            _used.Add("id");
            return value.GetRawText();
        }

        return OptionalText("id");
    }

    /// <summary>A <c>tag</c> or <c>category</c> given as text; null where there is none.</summary>
    public string? Category()
    {
        foreach (var name in (string[])["category", "tag"])
        {
            if (row.Fields.TryGetValue(name, out var value) && value.ValueKind == JsonValueKind.String)
            {
                return OptionalText(name);
            }
        }

        return null;
    }

    /// <summary>The kind of a field that is there; undefined where it is not.</summary>
    public JsonValueKind KindOf(string name) =>
        row.Fields.TryGetValue(name, out var value) ? value.ValueKind : JsonValueKind.Undefined;

    /// <summary>A yes or no: true or false, 1 or 0, as JSON or as the text of a CSV file.</summary>
    public bool Flag(string name)
    {
        _used.Add(name);
        var value = row.Fields[name];
        var text = value.ValueKind == JsonValueKind.String ? OptionalText(name).Trim() : value.GetRawText();
        var flag = text.ToLowerInvariant() switch
        {
            "true" or "1" => true,
            "false" or "0" => false,
            _ => (bool?)null,
        };
        if (flag is null)
        {
            Fault(name, $"is {Kind(value)}, expected true or false.");
        }

        return flag ?? false;
    }

    /// <summary>One object; its faults are named <c>object.field</c>.</summary>
    public RowFields Object(string name)
    {
        _used.Add(name);
        return Inner(name, row.Fields[name], name);
    }

    /// <summary>A list of objects; each answers for itself, its faults named <c>list[i].field</c>.</summary>
    public List<RowFields> Objects(string name)
    {
        _used.Add(name);
        var value = row.Fields[name];
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() == 0)
        {
            Fault(name, $"is {Kind(value)}, expected a list of objects.");
            return [];
        }

        var objects = new List<RowFields>();
        foreach (var (index, item) in value.EnumerateArray().Index())
        {
            if (item.ValueKind != JsonValueKind.Object)
            {
                Fault($"{name}[{index}]", $"is {Kind(item)}, expected an object.");
                continue;
            }

            objects.Add(Inner(name, item, $"{name}[{index}]"));
        }

        return objects;
    }

    private RowFields Inner(string name, JsonElement item, string place)
    {
        var fields = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var property in item.EnumerateObject())
        {
            if (!fields.TryAdd(property.Name, property.Value))
            {
                Fault($"{place}.{property.Name}", "is given twice.");
            }
        }

        var inner = new RowFields(row with { Fields = fields }, source, faults, $"{prefix}{place}.");
        _inner.Add((name, inner));
        return inner;
    }

    private string? Text(string name, string? missing, string? isNull)
    {
        _used.Add(name);
        if (!row.Fields.TryGetValue(name, out var value))
        {
            return Unless(missing, name);
        }

        if (value.ValueKind == JsonValueKind.Null)
        {
            return Unless(isNull, name);
        }

        if (value.ValueKind != JsonValueKind.String)
        {
            return Unless($"is {Kind(value)}, expected text.", name);
        }

        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            return Unless("holds half of a surrogate pair (\\uD800 … \\uDFFF), which is no character.", name);
        }
    }

    private string? Unless(string? reason, string name)
    {
        if (reason is not null)
        {
            Fault(name, reason);
        }

        return null;
    }

    private static string Kind(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array => value.GetArrayLength() == 0 ? "an empty list" : "a list",
        JsonValueKind.Object => "an object",
        JsonValueKind.String => "text",
        JsonValueKind.Number => $"the number {Short(value.GetRawText())}",
        JsonValueKind.True or JsonValueKind.False => $"the value {value.GetRawText()}",
        _ => "null",
    };

    private static string Short(string text) => text.Length <= 24 ? text : text[..24] + "…";
}
