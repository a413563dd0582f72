using System.Text.Json;
using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>
/// A value in one of a model's JSON files, which knows its file and path and says so when it is wrong.
/// </summary>
internal readonly struct ConfigField
{
    private readonly string _file;
    private readonly string _path;
    private readonly JsonElement? _value;

    private ConfigField(string file, string path, JsonElement? value) => (_file, _path, _value) = (file, path, value);

    /// <summary>The field named <paramref name="name"/>; missing where this is no object or has none.</summary>
    public ConfigField this[string name] => new(
        _file,
        _path.Length == 0 ? name : $"{_path}.{name}",
        _value is { ValueKind: JsonValueKind.Object } parent && parent.TryGetProperty(name, out var value)
            ? value
            : null);

    /// <summary>Whether it is not there, or null.</summary>
    public bool IsMissing => _value is not { ValueKind: not JsonValueKind.Null };

    public bool IsText => _value is { ValueKind: JsonValueKind.String };

    public bool IsArray => _value is { ValueKind: JsonValueKind.Array };

    /// <summary>Opens a file and hands its root to <paramref name="read"/>.</summary>
    /// <exception cref="SafeLlamaException">It cannot be read, is no JSON object, or a field is wrong.</exception>
    public static T Read<T>(string file, Func<ConfigField, T> read)
    {
        try
        {
            using var document = JsonDocument.Parse(TokenizerLoader.ReadAll(file));
            var root = new ConfigField(file, "", document.RootElement);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? read(root)
                : throw SafeLlamaException.InvalidData(
                    $"{file}: holds no JSON object at its top. Download the file again.");
        }
        catch (JsonException e)
        {
            var where = e.LineNumber is { } line ? $" from line {line + 1} on" : "";
            throw SafeLlamaException.InvalidData($"{file}: is no JSON{where}. Download it again.", e);
        }
        catch (InvalidOperationException e)
        {
            // A string that is no Unicode text is found only when it is read.
            throw SafeLlamaException.InvalidData(
                $"{file}: holds broken text: half of a surrogate pair. Download it again.", e);
        }
    }

    public string Text() => _value is { ValueKind: JsonValueKind.String } value
        ? value.GetString()!
        : throw Wrong("expected a string");

    public int Number() => _value is { ValueKind: JsonValueKind.Number } value && value.TryGetInt32(out var number)
        ? number
        : throw Wrong("expected a whole number");

    /// <summary>A whole number, or an array of them; none where it is missing.</summary>
    public IReadOnlyList<int> IdOrIds() =>
        IsMissing ? [] : IsArray ? [.. Items().Select(id => id.Number())] : [Number()];

    /// <summary>A number, or true and false as 1 and 0; null where it is neither.</summary>
    public double? NumberOrFlag() => _value switch
    {
        { ValueKind: JsonValueKind.Number } value when value.TryGetDouble(out var number) => number,
        { ValueKind: JsonValueKind.True } => 1,
        { ValueKind: JsonValueKind.False } => 0,
        _ => null,
    };

    /// <summary>The value as an error or a note may quote it.</summary>
    public string Shown() => UnicodeText.Shown(_value!.Value.GetRawText());

    public bool Flag(bool otherwise) => _value switch
    {
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        _ when IsMissing => otherwise,
        _ => throw Wrong("expected true or false"),
    };

    /// <summary>The elements of an array; none where it is missing.</summary>
    public IEnumerable<ConfigField> Items()
    {
        var (file, path) = (_file, _path);
        return IsMissing ? [] : IsArray
            ? _value!.Value.EnumerateArray().Select((item, i) => new ConfigField(file, $"{path}[{i}]", item)).ToList()
            : throw Wrong("expected an array");
    }

    /// <summary>The fields of an object; none where it is missing.</summary>
    public IEnumerable<(string Name, ConfigField Value)> Fields()
    {
        var (file, path) = (_file, _path);
        return IsMissing ? [] : _value is { ValueKind: JsonValueKind.Object } value
            ? value.EnumerateObject().Select(p => (p.Name, new ConfigField(file, $"{path}.{p.Name}", p.Value))).ToList()
            : throw Wrong("expected an object");
    }

    /// <summary>A step by its type, or the steps of a Sequence; none where the field is null.</summary>
    public IEnumerable<(string Type, ConfigField Step)> Steps(string sequence) =>
        IsMissing ? []
        : this["type"].Text() == "Sequence" ? this[sequence].Items().Select(step => (step["type"].Text(), step))
        : [(this["type"].Text(), this)];

    /// <summary>An added token's spelling and rules.</summary>
    public AddedToken AddedToken(int id, bool special) =>
        new(id, this["content"].Text(), special ? TokenKind.Control : TokenKind.Added)
        {
            SingleWord = this["single_word"].Flag(otherwise: false),
            StripsLeft = this["lstrip"].Flag(otherwise: false),
            StripsRight = this["rstrip"].Flag(otherwise: false),
            Normalized = this["normalized"].Flag(otherwise: !special),
        };

    /// <summary>The error that this field is not as it must be.</summary>
    public SafeLlamaException Wrong(string expected, string wayOut = "Download the file again.")
    {
        var found = IsMissing ? "is missing" : $"is {Shown()}";
        return SafeLlamaException.InvalidData(
            $"{_file}: \"{UnicodeText.Shown(_path)}\" {found}; {expected}. {wayOut}");
    }
}
