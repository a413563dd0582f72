using System.Globalization;
using SafeLlama.Common;

namespace SafeLlama.Evaluation;

/// <summary>Reads a list of attacks: <c>prefill</c>, <c>prefill=1/5/10</c>, <c>wrappers=role/base64</c>.</summary>
public static class AttackList
{
    private const char Setting = '/';

    /// <summary>The attacks on prompts, with the settings each tries where none are named.</summary>
    public static IReadOnlyDictionary<string, string> Defaults { get; } = new Dictionary<string, string>
    {
        [WrapperTrial.Name] = string.Join(Setting, Wrapper.All.Select(w => w.Name)),
        [ManyShotTrial.Name] = "1/2/4/8",
        [PrefillTrial.Name] = "1/3/5/10",
        [SuffixTrial.Name] = "6x10/6x30",
    };

    /// <summary>The name of an item and its settings; the attack's own where it names none.</summary>
    /// <param name="text">As the user wrote it.</param>
    /// <param name="defaults">Settings by attack.</param>
    /// <exception cref="SafeLlamaException">The attack is unknown, or a setting is blank or there twice.</exception>
    public static (string Attack, IReadOnlyList<string> Settings) Parse(
        string text, IReadOnlyDictionary<string, string> defaults)
    {
        var at = text.IndexOf('=');
        var name = at < 0 ? text : text[..at];
        if (!defaults.TryGetValue(name, out var usual))
        {
            throw SafeLlamaException.Usage($"`Attacks` {name}: is unknown{NearestName.Hint(name, defaults.Keys)} "
                + $"Expected some of {string.Join(", ", defaults.Keys)}.");
        }

        string[] settings = (at < 0 ? usual : text[(at + 1)..]).Split(Setting, StringSplitOptions.TrimEntries);
        if (settings.Any(s => s.Length == 0) || settings.Distinct().Count() < settings.Length)
        {
            throw SafeLlamaException.Usage(
                $"`Attacks` {text}: expected settings that differ, separated by {Setting}, such as {name}={usual}.");
        }

        return (name, settings);
    }

    /// <summary>The attempts of an attack on prompts, one for each setting.</summary>
    /// <param name="wrappers">Those of the user, besides the program's own.</param>
    /// <param name="answers">The identity of the given answers; empty without them.</param>
    /// <exception cref="SafeLlamaException">A setting is none of the attack's.</exception>
    public static IEnumerable<IAttackTrial> Trials(
        string attack, IReadOnlyList<string> settings, IReadOnlyList<Wrapper> wrappers, string answers) =>
        settings.Select(IAttackTrial (setting) => attack switch
        {
            WrapperTrial.Name => new WrapperTrial(Named(setting, [.. Wrapper.All, .. wrappers])),
            ManyShotTrial.Name => new ManyShotTrial(Number(attack, setting, 1), answers),
            PrefillTrial.Name => new PrefillTrial(Number(attack, setting, 1), answers),
            SuffixTrial.Name => new SuffixTrial(SuffixSettings.Parse(setting), answers),
            DirectionTrial.Name => new DirectionTrial(Number(attack, setting, 0)),
            _ => throw new ArgumentOutOfRangeException(nameof(attack), attack, "is no attack on prompts"),
        });

    /// <summary>A setting that is a whole number.</summary>
    /// <exception cref="SafeLlamaException">It is none, or below the least.</exception>
    private static int Number(string attack, string setting, int least) =>
        int.TryParse(setting, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least
            ? number
            : throw SafeLlamaException.Usage(
                $"`Attacks` {attack}: the setting \"{setting}\" is no whole number from {least} on.");

    private static Wrapper Named(string name, IReadOnlyList<Wrapper> known) =>
        known.FirstOrDefault(w => w.Name == name) ?? throw SafeLlamaException.Usage(
            $"`Attacks` {WrapperTrial.Name}: there is no wrapper \"{name}\""
            + $"{NearestName.Hint(name, known.Select(w => w.Name))} Expected some of "
            + $"{string.Join(", ", known.Select(w => w.Name))}.");
}
