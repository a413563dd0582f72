using System.CommandLine;
using System.Reflection;
using SafeLlama.Common;

namespace SafeLlama.Cli.Options;

/// <summary>The options of a verb, one for each property of a record that it can set.</summary>
/// <remarks>
/// The flag is the property's name in kebab case, the default is that of a new record, and the form of a value follows
/// from the property's type: what is not of it is refused in one line that names the flag.
/// </remarks>
/// <param name="defaults">The values where the command line says nothing; a new record's where not given.</param>
internal class OptionSet<T>(T? defaults = null)
    where T : class, new()
{
    private readonly T _defaults = defaults ?? new T();
    private readonly List<Entry> _entries = [];

    /// <summary>How a recipe or a profile may give each setting: the separator of several values, by name.</summary>
    public IReadOnlyDictionary<string, char?> Forms => _entries.ToDictionary(
        e => SettingText.NameOf(e.Property.Name), e => e.Separator);

    public virtual void AddTo(Command command)
    {
        foreach (var entry in _entries)
        {
            command.Add(entry.Option);
        }
    }

    /// <summary>The record that the command line describes.</summary>
    /// <exception cref="SafeLlamaException">A value is not of its property's form.</exception>
    public T Read(ParseResult parsed) => new SettingTable<T>(_defaults).Apply(Given(parsed)).Value;

    /// <summary>What the command line says, by name; the source is the flag.</summary>
    /// <exception cref="SafeLlamaException">A value is empty, as that of a variable that is not set.</exception>
    public IEnumerable<KeyValuePair<string, SettingValue>> Given(ParseResult parsed)
    {
        foreach (var (property, option, separator) in _entries)
        {
            if (parsed.GetResult(option) is { Implicit: false } result)
            {
                var texts = result.Tokens.Select(t => t.Value).ToList();
                if (texts.Any(string.IsNullOrWhiteSpace))
                {
                    throw SafeLlamaException.Usage($"{option.Name} is empty: expected a value.");
                }

                yield return KeyValuePair.Create(
                    SettingText.NameOf(property.Name),
                    new SettingValue(
                        texts.Count == 0 ? "true" : string.Join(separator ?? ' ', texts), option.Name));
            }
        }
    }

    /// <summary>Whether the command line says a property.</summary>
    public bool IsGiven(ParseResult parsed, string property) =>
        parsed.GetResult(_entries.Single(e => e.Property.Name == property).Option) is { Implicit: false };

    /// <summary>The flag of the first of some properties that the command line says; null for none.</summary>
    public string? FirstGiven(ParseResult parsed, params IEnumerable<string> properties) =>
        properties.FirstOrDefault(property => IsGiven(parsed, property)) is { } found ? FlagNames.Of(found) : null;

    /// <summary>Adds an option.</summary>
    /// <param name="property">Its property's name.</param>
    /// <param name="help">What it does, with its unit.</param>
    /// <param name="value">What help shows for the value; the choices of an enumeration where not given.</param>
    /// <param name="separator">Joins several values of a text; a list needs none.</param>
    /// <param name="choices">The texts there are; any where not given.</param>
    /// <remarks>A switch that shows no value is an ordinary one, which takes no text that follows.</remarks>
    protected void Add(
        string property, string help, string value = "", char? separator = null, bool required = false,
        string[]? choices = null)
    {
        var info = typeof(T).GetProperty(property)!;
        var type = Nullable.GetUnderlyingType(info.PropertyType) ?? info.PropertyType;
        var isSwitch = type == typeof(bool);
        separator ??= SettingText.IsList(type) ? SettingText.Separator : null;
        var otherwise = SettingText.Of(info.GetValue(_defaults));
        Option option = isSwitch && value.Length == 0 ? new Option<bool>(FlagNames.Of(property)) { Description = help }
            : new SettingOption(FlagNames.Of(property), info.PropertyType, help, otherwise)
            {
                Description = help + (otherwise.Length > 0 && !isSwitch
                    ? $" [default: {otherwise.Replace(SettingText.Separator, ' ')}]" : ""),
                HelpName = value.Length > 0 ? value
                    : choices is not null ? string.Join('|', choices)
                    : type.IsEnum ? string.Join('|', SettingText.Choices(type)) : "N",
                Arity = isSwitch ? ArgumentArity.ZeroOrOne
                    : separator is null ? ArgumentArity.ExactlyOne : ArgumentArity.OneOrMore,
                AllowMultipleArgumentsPerToken = separator is not null,
                Required = required,
                CustomParser = result => [.. result.Tokens.Select(t => t.Value)],
            };
        if (option is SettingOption setting && choices is not null)
        {
            setting.AcceptOnlyFromAmong(choices);
        }

        _entries.Add(new(info, option, separator));
    }

    /// <summary>Adds an option that several verbs share, spelled and explained as everywhere.</summary>
    protected void AddShared(string property, bool required = false)
    {
        var (help, value) = SharedHelp.Of(property);
        Add(property, help, value, required: required);
    }

    private sealed record Entry(PropertyInfo Property, Option Option, char? Separator);
}
