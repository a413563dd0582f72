using System.Reflection;

namespace SafeLlama.Common;

/// <summary>A setting's text and its source.</summary>
/// <param name="Source">
/// <c>default</c>, <c>profile repo</c>, <c>recipe.yaml:7</c>, <c>run.json</c>, or another name given by the caller,
/// such as the flag.
/// </param>
public sealed record SettingValue(string Value, string Source)
{
    public const string Default = "default";

    /// <summary>
    /// Whether the user gave it: it comes neither from a default, nor from a profile, nor from the run that is resumed.
    /// </summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public bool IsGiven => Source is not (Default or "run.json") && !IsOfProfile;

    /// <summary>Whether the source is a profile.</summary>
    internal bool IsOfProfile => Source.StartsWith("profile ", StringComparison.Ordinal);

    /// <summary>Whether the source is a line of a file.</summary>
    internal bool IsOfFile => Source.Contains(':', StringComparison.Ordinal);
}

/// <summary>The settings of a record by name, resolved in layers; a later layer overrides an earlier one.</summary>
/// <typeparam name="T">A record whose properties are the settings, in the order shown; a new one holds the
/// defaults.</typeparam>
public sealed class SettingTable<T>
    where T : class, new()
{
    private static readonly PropertyInfo[] Properties =
        [.. typeof(T).GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.CanWrite)];

    private static readonly Dictionary<string, PropertyInfo> ByName =
        Properties.ToDictionary(p => SettingText.NameOf(p.Name));

    private readonly Dictionary<string, SettingValue> _values;

    public SettingTable()
        : this(new T())
    {
    }

    /// <param name="value">A record made in code; values that differ from the defaults count as given.</param>
    public SettingTable(T value)
    {
        var defaults = new T();
        _values = Properties.ToDictionary(p => SettingText.NameOf(p.Name), p =>
        {
            var text = SettingText.Of(p.GetValue(value));
            return new SettingValue(
                text, text == SettingText.Of(p.GetValue(defaults)) ? SettingValue.Default : "given");
        });
    }

    /// <summary>The names of all settings, in kebab case.</summary>
    public IReadOnlyCollection<string> Names => _values.Keys;

    public IEnumerable<(string Name, SettingValue Value)> All =>
        Properties.Select(p => SettingText.NameOf(p.Name)).Select(name => (name, _values[name]));

    /// <summary>The record with every value; read anew at each call.</summary>
    public T Value
    {
        get
        {
            var record = new T();
            foreach (var property in Properties)
            {
                var value = _values[SettingText.NameOf(property.Name)];
                if (value.Value != SettingText.Of(property.GetValue(record)))
                {
                    property.SetValue(record, Read(property, value));
                }
            }

            return record;
        }
    }

    /// <summary>The entry of a property: <c>table[nameof(T.MicroBatch)]</c>.</summary>
    public SettingValue this[string property] => _values[SettingText.NameOf(property)];

    /// <summary>Whether the user gave this property.</summary>
    public bool IsGiven(string property) => this[property].IsGiven;

    /// <summary>The error with the source of each value that the user did not type where it was needed: a line of a
    /// recipe, or a profile.</summary>
    public SafeLlamaException Explained(SafeLlamaException error)
    {
        var borrowed = error.Settings.Where(name => _values.TryGetValue(SettingText.NameOf(name), out var value)
                && (value.IsOfProfile || value.IsOfFile))
            .Select(name => $"`{name}` {this[name].Value} comes from {this[name].Source}.").ToList();
        return borrowed.Count == 0 ? error : error.Adding(string.Join(' ', borrowed));
    }

    /// <summary>Applies values by name over the present ones, and checks each.</summary>
    /// <exception cref="SafeLlamaException">A value is not of its setting's form.</exception>
    public SettingTable<T> Apply(IEnumerable<KeyValuePair<string, SettingValue>> values)
    {
        foreach (var (name, value) in values)
        {
            Read(ByName[name], value);
            _values[name] = value;
        }

        return this;
    }

    private static object? Read(PropertyInfo property, SettingValue value) =>
        SettingText.TryRead(property.PropertyType, value.Value, out var read) ? read : throw SafeLlamaException.Usage(
            value.IsOfFile
                ? $"{value.Source}: {SettingText.NameOf(property.Name).Replace('-', '_')}: '{value.Value}' is not "
                    + $"{SettingText.Expected(property.PropertyType)}."
                : $"`{property.Name}` {value.Value}: expected {SettingText.Expected(property.PropertyType)}.");
}
