using System.CommandLine;
using SafeLlama.Common;

namespace SafeLlama.Cli.Settings;

/// <summary>The settings of one run, resolved: a flag wins over the recipe, the recipe over the profile, the profile
/// over the default.</summary>
internal sealed class SettingTable
{
    private readonly IReadOnlyList<Setting> _settings;
    private readonly Dictionary<string, SettingValue> _values;

    /// <param name="settings">All there are, in the order shown.</param>
    public SettingTable(IReadOnlyList<Setting> settings)
    {
        _settings = settings;
        _values = settings.ToDictionary(s => s.Name, s => new SettingValue(s.Default, "default"));
    }

    public IEnumerable<(Setting Setting, SettingValue Value)> All => _settings.Select(s => (s, _values[s.Name]));

    /// <summary>Lays values over those there are; each is checked where it is said.</summary>
    /// <exception cref="SafeLlamaException">A value is not of its setting's form.</exception>
    public void Lay(IEnumerable<KeyValuePair<string, SettingValue>> values)
    {
        foreach (var (name, value) in values)
        {
            _settings.Single(s => s.Name == name).Check(value);
            _values[name] = value;
        }
    }

    public T Get<T>(Setting<T> setting) => setting.Read(_values[setting.Name]);

    /// <summary>The value, or null where there is none.</summary>
    public T? Find<T>(Setting<T> setting)
        where T : struct => Has(setting) ? Get(setting) : null;

    /// <summary>The text, or null where there is none.</summary>
    public string? Find(Setting<string> setting) => Has(setting) ? Get(setting) : null;

    public bool Has(Setting setting) => _values[setting.Name].Text.Length > 0;

    /// <summary>
    /// Whether a flag or a recipe says it: not the default, not a profile, not the run that is resumed.
    /// </summary>
    public bool IsSaid(Setting setting) => SourceOf(setting) is not ("default" or Training.RunFile.Name)
        && !SourceOf(setting).StartsWith("profile ", StringComparison.Ordinal);

    public string SourceOf(Setting setting) => _values[setting.Name].Source;

    public string TextOf(Setting setting) => _values[setting.Name].Text;

    /// <summary>An option of the command line for every setting.</summary>
    public static IReadOnlyDictionary<string, Option<string[]>> Options(IReadOnlyList<Setting> settings) =>
        settings.ToDictionary(s => s.Name, s => new Option<string[]>(s.Flag)
        {
            Description = s.Help + (s.Default.Length > 0 && !s.IsSwitch ? $" [default: {s.Default}]" : ""),
            HelpName = s.IsSwitch ? "true|false" : s.ValueName,
            Arity = s.IsSwitch ? ArgumentArity.ZeroOrOne : s.Separator is null ? ArgumentArity.ExactlyOne
                : ArgumentArity.OneOrMore,
            AllowMultipleArgumentsPerToken = s.Separator is not null,
            CustomParser = result => [.. result.Tokens.Select(t => t.Value)],
        });

    /// <summary>What the command line says.</summary>
    public static Dictionary<string, SettingValue> Said(
        ParseResult parsed, IReadOnlyList<Setting> settings, IReadOnlyDictionary<string, Option<string[]>> options)
    {
        var said = new Dictionary<string, SettingValue>();
        foreach (var setting in settings)
        {
            if (parsed.GetResult(options[setting.Name]) is { Implicit: false } result)
            {
                var texts = result.Tokens.Select(t => t.Value).ToList();
                said[setting.Name] = new(
                    texts.Count == 0 ? "true" : string.Join(setting.Separator ?? ' ', texts), setting.Flag);
            }
        }

        return said;
    }
}
