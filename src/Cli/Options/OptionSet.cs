using System.CommandLine;
using System.Reflection;
using SafeLlama.Common;
using SafeLlama.Model;

namespace SafeLlama.Cli.Options;

/// <summary>The options of a verb, one for each property of a record that it can set.</summary>
/// <remarks>
/// The flag is the property's name in kebab case, the default is that of a new record, and the form of a value follows
/// from the property's type: what is not of it is refused in one line that names the flag. A property may instead take
/// the values that stand without a flag.
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

    public void AddTo(Command command)
    {
        foreach (var entry in _entries)
        {
            if (entry.Symbol is Option option)
            {
                command.Add(option);
            }
            else
            {
                command.Add((Argument)entry.Symbol);
            }
        }
    }

    /// <summary>A verb of these options alone.</summary>
    /// <param name="run">What it does with the record that the command line describes.</param>
    public Command Verb(string name, string description, Func<T, ExitCode> run) =>
        Verb(name, description, (asked, _) => run(asked));

    /// <summary>A verb that also asks which options the command line says.</summary>
    public Command Verb(string name, string description, Func<T, ParseResult, ExitCode> run)
    {
        var command = new Command(name, description);
        AddTo(command);
        command.SetAction(parsed => (int)run(Read(parsed), parsed));
        return command;
    }

    /// <summary>The record that the command line describes.</summary>
    /// <exception cref="SafeLlamaException">A value is not of its property's form, or has no effect.</exception>
    public T Read(ParseResult parsed)
    {
        var read = new SettingTable<T>(_defaults).Apply(Given(parsed)).Value;
        foreach (var entry in _entries.Where(e => e.MayBeBlank && TokensOf(parsed, e) is [""]))
        {
            // A table's empty text is no value; here it was given: nothing to begin with.
            entry.Property.SetValue(read, "");
        }

        if (read is IComputes { Device: var device } && !device.StartsWith("cpu", StringComparison.Ordinal))
        {
            Refuse(parsed, $"with --device {device}", nameof(IComputes.Threads));
        }

        return read;
    }

    /// <summary>What the command line says, by name; the source is the flag.</summary>
    /// <exception cref="SafeLlamaException">A value is empty, as that of a variable that is not set, or is none of the
    /// choices.</exception>
    public IEnumerable<KeyValuePair<string, SettingValue>> Given(ParseResult parsed)
    {
        foreach (var entry in _entries)
        {
            if (TokensOf(parsed, entry) is { } texts)
            {
                if (!entry.MayBeBlank && texts.Any(string.IsNullOrWhiteSpace))
                {
                    throw SafeLlamaException.Usage($"{entry.Symbol.Name} is empty: expected a value.");
                }

                if (entry.Choices is { } choices && texts.Except(choices).FirstOrDefault() is { } unknown)
                {
                    throw SafeLlamaException.Usage(
                        $"{entry.Symbol.Name} {unknown}: is unknown, "
                        + $"expected {(choices.Length > 1 ? $"{string.Join(", ", choices[..^1])} or " : "")}"
                        + $"{choices[^1]}.");
                }

                if (entry.Property.Name == "Adapter")
                {
                    texts = [.. texts.Select(AdapterOf)];
                }

                yield return KeyValuePair.Create(
                    SettingText.NameOf(entry.Property.Name),
                    new SettingValue(
                        texts.Count == 0 ? "true" : string.Join(entry.Separator ?? ' ', texts), entry.Symbol.Name));
            }
        }
    }

    /// <summary>Whether the command line says a property.</summary>
    public bool IsGiven(ParseResult parsed, string property) =>
        TokensOf(parsed, _entries.Single(e => e.Property.Name == property)) is not null;

    /// <summary>The flag of the first of some properties that the command line says; null for none.</summary>
    public string? FirstGiven(ParseResult parsed, params IEnumerable<string> properties) =>
        properties.FirstOrDefault(property => IsGiven(parsed, property)) is { } found ? FlagNames.Of(found) : null;

    /// <summary>Refuses the first of some properties that the command line says, since it would do nothing.</summary>
    /// <param name="when">When it does nothing, such as <c>without --out</c>.</param>
    /// <exception cref="SafeLlamaException">One is given.</exception>
    public void Refuse(ParseResult parsed, string when, params IEnumerable<string> properties)
    {
        if (FirstGiven(parsed, properties) is { } idle)
        {
            throw SafeLlamaException.Usage($"{idle} has no effect {when}.");
        }
    }

    /// <summary>Refuses the first property that the command line says, except some.</summary>
    /// <exception cref="SafeLlamaException">One is given.</exception>
    public void RefuseOthers(ParseResult parsed, string when, params IEnumerable<string> heeded) =>
        Refuse(parsed, when, _entries.Select(entry => entry.Property.Name).Except(heeded));

    /// <summary>Adds an option.</summary>
    /// <param name="property">Its property's name.</param>
    /// <param name="help">What it does, with its unit.</param>
    /// <param name="value">What help shows for the value; the choices of an enumeration where not given.</param>
    /// <param name="separator">Joins several values of a text; a list needs none.</param>
    /// <param name="choices">The texts there are; any where not given.</param>
    /// <param name="isText">Whether a value may be blank, since it is text to work on.</param>
    /// <returns>The option, to give it another name too.</returns>
    /// <remarks>A switch that shows no value is an ordinary one, which takes no text that follows.</remarks>
    protected Option Add(
        string property, string help, string value = "", char? separator = null, bool required = false,
        string[]? choices = null, bool isText = false)
    {
        var info = typeof(T).GetProperty(property)!;
        var type = Nullable.GetUnderlyingType(info.PropertyType) ?? info.PropertyType;
        var isSwitch = type == typeof(bool);
        separator ??= SettingText.IsList(type) ? SettingText.Separator : null;
        var otherwise = required ? "" : SettingText.Of(info.GetValue(_defaults));
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
                IsText = isText,
                CustomParser = result => [.. result.Tokens.Select(t => t.Value)],
            };
        option.CompletionSources.Add(choices ?? (type.IsEnum ? [.. SettingText.Choices(type)] : []));
        _entries.Add(new(info, option, separator, isText) { Choices = choices });
        return option;
    }

    /// <summary>Adds an option that several verbs share, spelled and explained as everywhere.</summary>
    protected void AddShared(string property, bool required = false)
    {
        var (help, value) = SharedHelp.Of(property);
        Add(property, help, value, required: required);
    }

    /// <summary>Adds what stands without a flag: one value, or all of them where the property is a list.</summary>
    /// <param name="property">Its property's name; required where a new record has no value there.</param>
    /// <param name="name">What help shows for it.</param>
    /// <param name="help">What it is.</param>
    protected void AddArgument(string property, string name, string help)
    {
        var info = typeof(T).GetProperty(property)!;
        var isList = SettingText.IsList(info.PropertyType);
        var otherwise = SettingText.Of(info.GetValue(_defaults));
        var argument = new Argument<string[]>(name)
        {
            Description = help,
            Arity = (isList, otherwise) switch
            {
                (true, _) => ArgumentArity.OneOrMore,
                (_, "") => ArgumentArity.ExactlyOne,
                _ => ArgumentArity.ZeroOrOne,
            },
            CustomParser = result => [.. result.Tokens.Select(t => t.Value)],
        };
        if (otherwise.Length > 0)
        {
            argument.DefaultValueFactory = _ => [otherwise];
        }

        _entries.Add(new(info, argument, isList ? SettingText.Separator : null, MayBeBlank: false));
    }

    /// <summary>The adapter of a run's folder, or the folder itself.</summary>
    private static string AdapterOf(string folder) =>
        Path.Combine(folder, "adapter") is var inner && !File.Exists(Path.Combine(folder, PeftFolder.ConfigName))
            && File.Exists(Path.Combine(inner, PeftFolder.ConfigName)) ? inner : folder;

    /// <summary>The texts that the command line gives an entry, none for a switch; null where it does not say
    /// it.</summary>
    private static List<string>? TokensOf(ParseResult parsed, Entry entry) => entry.Symbol switch
    {
        Option option when parsed.GetResult(option) is { Implicit: false } result =>
            [.. result.Tokens.Select(t => t.Value)],
        Argument argument when parsed.GetResult(argument) is { Tokens.Count: > 0 } result =>
            [.. result.Tokens.Select(t => t.Value)],
        _ => null,
    };

    private sealed record Entry(PropertyInfo Property, Symbol Symbol, char? Separator, bool MayBeBlank)
    {
        public string[]? Choices { get; init; }
    }
}
