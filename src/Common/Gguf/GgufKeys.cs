namespace SafeLlama.Common;

/// <summary>Reads the keys of a GGUF file with their types; errors name the file and the key.</summary>
public sealed class GgufKeys(string path, IReadOnlyDictionary<string, object> values)
{
    /// <summary>The file they come from, for errors.</summary>
    public string Path => path;

    public bool Has(string key) => values.ContainsKey(key);

    public string Text(string key) => Get<string>(key, "a text");

    public string[] Texts(string key) => Get<string[]>(key, "an array of texts");

    /// <summary>An array of numbers, integers or not.</summary>
    public double[] Numbers(string key) => Find(key) is long[] whole
        ? Array.ConvertAll(whole, number => (double)number)
        : Get<double[]>(key, "an array of numbers");

    public double Number(string key) => Find(key) is long whole ? whole : Get<double>(key, "a number");

    public double Number(string key, double otherwise) => Has(key) ? Number(key) : otherwise;

    public bool Flag(string key, bool otherwise) => Has(key) ? Get<bool>(key, "true or false") : otherwise;

    /// <summary>A positive whole number.</summary>
    public int Positive(string key) => Get<long>(key, "a positive whole number") switch
    {
        > 0 and <= int.MaxValue and var number => (int)number,
        var other => throw Wrong(key, $"is {other}, expected a positive whole number"),
    };

    /// <summary>A token id; null where the key is missing or holds 2³² − 1, which means none.</summary>
    public int? Id(string key) => !Has(key) ? null : Get<long>(key, "a token id") switch
    {
        >= 0 and <= int.MaxValue and var id => (int)id,
        -1 or uint.MaxValue => null,
        var other => throw Wrong(key, $"is {other}, expected a token id"),
    };

    /// <summary>An error about a key; the value is shown on one line.</summary>
    public SafeLlamaException Wrong(string key, string what) => SafeLlamaException.InvalidData(
        $"{path}: key '{key}' {GgufCursor.Printable(what)}.");

    internal object? Find(string key) => values.GetValueOrDefault(key);

    private T Get<T>(string key, string expected) => values.TryGetValue(key, out var value)
        ? value is T typed ? typed : throw Wrong(key, $"is of another type, expected {expected}")
        : throw Wrong(key, $"is missing, expected {expected}");
}
