using System.Text.Json;

namespace SafeLlama.Serving;

/// <summary>
/// The fields of a request's JSON object: each is read, accepted as without effect, or refused by name.
/// </summary>
/// <remarks>A field that is null counts as absent, as in OpenAI's interface.</remarks>
internal sealed class RequestFields
{
    /// <summary>Up to here a double holds every whole number: 2⁵³.</summary>
    private const double LargestExact = 9_007_199_254_740_992;

    /// <summary>Characters of a value that a message repeats.</summary>
    private const int MostShown = 32;

    private readonly Dictionary<string, JsonElement> _fields = [];
    private readonly HashSet<string> _known = [];
    private readonly string _prefix;

    /// <param name="body">The request, or an object in it.</param>
    /// <param name="prefix">What names of its fields begin with in messages.</param>
    public RequestFields(JsonElement body, string prefix = "")
    {
        _prefix = prefix;
        if (body.ValueKind != JsonValueKind.Object)
        {
            var what = prefix.Length == 0 ? "The request's body" : $"'{prefix.TrimEnd('.')}'";
            throw new ApiException(
                400, $"{what} is {Kind(body)}, expected an object.", prefix.Length == 0 ? null : Name(""));
        }

        foreach (var field in body.EnumerateObject())
        {
            if (field.Value.ValueKind != JsonValueKind.Null)
            {
                _fields[NameOf(field)] = field.Value;
            }
        }
    }

    /// <summary>The name of a field in messages.</summary>
    public string Name(string field) => (_prefix + field).TrimEnd('.');

    public JsonElement? Find(string field)
    {
        _known.Add(field);
        return _fields.TryGetValue(field, out var value) ? value : null;
    }

    public JsonElement Require(string field) =>
        Find(field) ?? throw new ApiException(400, $"'{Name(field)}' is missing.", Name(field));

    public string? Text(string field) => Find(field) is { } value ? TextOf(value, Name(field)) : null;

    public bool Flag(string field) => Find(field)?.ValueKind switch
    {
        null or JsonValueKind.False => false,
        JsonValueKind.True => true,
        _ => throw Wrong(Find(field)!.Value, Name(field), "true or false"),
    };

    public int? Integer(string field, int least, int most) => Find(field) is not { } value ? null
        : Whole(value) is { } number && number >= least && number <= most ? (int)number
        : throw Wrong(value, Name(field), $"a whole number from {least} to {most}");

    public long? Long(string field) => Find(field) is not { } value ? null
        : Whole(value) ?? throw Wrong(value, Name(field), "a whole number of 64 bits");

    /// <param name="fine">What a number must fulfill.</param>
    /// <param name="expected">The same in words.</param>
    public double? Number(string field, Func<double, bool> fine, string expected) =>
        Find(field) is not { } value ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number)
            && double.IsFinite(number) && fine(number) ? number
        : throw Wrong(value, Name(field), expected);

    /// <summary>A text or a list of texts, none empty.</summary>
    public IReadOnlyList<string> Texts(string field, int most)
    {
        if (Find(field) is not { } value)
        {
            return [];
        }

        var texts = value.ValueKind == JsonValueKind.Array
            ? [.. value.EnumerateArray().Select(e => TextOf(e, Name(field)))] : (string[])[TextOf(value, Name(field))];
        return texts.Length <= most && texts.All(t => t.Length > 0) ? texts
            : throw new ApiException(400, $"'{Name(field)}': expected at most {most} texts, none empty.", Name(field));
    }

    /// <summary>Fields that say who asks, or how to keep the answer, and change nothing here.</summary>
    public void Accept(params ReadOnlySpan<string> fields)
    {
        foreach (var field in fields)
        {
            _known.Add(field);
        }
    }

    /// <summary>A field that does nothing here may only say what is done anyway.</summary>
    public void AcceptOnly(string field, Func<JsonElement, bool> same, string allowed)
    {
        if (Find(field) is { } value && !same(value))
        {
            throw new ApiException(
                400, $"'{Name(field)}' {Clipped(value)} is not supported, only {allowed}.", Name(field), "unsupported");
        }
    }

    /// <exception cref="ApiException">A field was given that nothing has read.</exception>
    public void RefuseOthers()
    {
        if (_fields.Keys.FirstOrDefault(field => !_known.Contains(field)) is { } other)
        {
            var name = Name(other.Length > 64 ? other[..64] + "…" : other);
            throw new ApiException(400, $"'{name}' is not supported.", name, "unknown_field");
        }
    }

    /// <exception cref="ApiException">It is no text, or one with half of a surrogate pair.</exception>
    public static string TextOf(JsonElement value, string name)
    {
        if (value.ValueKind != JsonValueKind.String)
        {
            throw Wrong(value, name, "a text");
        }

        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw new ApiException(400, $"'{name}' holds half of a surrogate pair, or bytes that are not UTF-8.", name);
        }
    }

    public static ApiException Wrong(JsonElement found, string name, string expected) =>
        new(400, $"'{name}' is {Shown(found)}, expected {expected}.", name);

    public static bool IsNumber(JsonElement value, double number) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var found) && found == number;

    private static string NameOf(JsonProperty field)
    {
        try
        {
            return field.Name;
        }
        catch (InvalidOperationException)
        {
            throw new ApiException(
                400, "The name of a field holds half of a surrogate pair, or bytes that are not UTF-8.");
        }
    }

    /// <summary>A whole number, also as 5.0 or 5e0, which some clients write; null for others.</summary>
    private static long? Whole(JsonElement value) =>
        value.ValueKind != JsonValueKind.Number ? null
        : value.TryGetInt64(out var number) ? number
        : value.TryGetDouble(out var real) && Math.Floor(real) == real && Math.Abs(real) <= LargestExact ? (long)real
        : null;

    /// <summary>A text or a number as the request spells it, the beginning of a long one.</summary>
    public static string Clipped(JsonElement value) =>
        value.ValueKind is not (JsonValueKind.String or JsonValueKind.Number) ? Shown(value)
        : value.GetRawText() is { Length: > MostShown } text ? text[..MostShown] + "…" : value.GetRawText();

    private static string Shown(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number => Clipped(value),
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        _ => Kind(value),
    };

    private static string Kind(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        JsonValueKind.String => "a text",
        JsonValueKind.Null => "null",
        _ => "a truth value",
    };
}
