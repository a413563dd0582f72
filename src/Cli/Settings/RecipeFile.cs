using SafeLlama.Common;
using SafeLlama.Data;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace SafeLlama.Cli.Settings;

/// <summary>A recipe: settings by name in YAML, one a line, lists allowed where a flag takes several values.</summary>
internal static class RecipeFile
{
    /// <param name="forms">The settings by name, with the separator of those that take several values.</param>
    /// <exception cref="SafeLlamaException">
    /// The file is missing, malformed, or has a key that no setting bears: file and line are named.
    /// </exception>
    public static Dictionary<string, SettingValue> Read(string path, IReadOnlyDictionary<string, char?> forms) =>
        Open(path, reader => Read(path, new Parser(reader), forms));

    /// <summary>Opens a YAML file; whatever is wrong with it is one line that names it.</summary>
    /// <exception cref="SafeLlamaException">It cannot be read, or is not YAML.</exception>
    internal static T Open<T>(string path, Func<TextReader, T> read)
    {
        if (!File.Exists(path))
        {
            throw SafeLlamaException.Usage($"--recipe {path}: there is no such file.");
        }

        try
        {
            using var reader = new StringReader(TextFile.Read(path).Text);
            return read(reader);
        }
        catch (YamlException e)
        {
            throw new SafeLlamaException(
                ExitCode.Usage, $"{path}:{e.Start.Line}: is not valid YAML: {e.Message.ReplaceLineEndings(" ")}", e);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or IndexOutOfRangeException)
        {
            // YamlDotNet leaves some malformed texts with an exception of the runtime instead of its own.
            throw new SafeLlamaException(ExitCode.Usage, $"{path}: is not valid YAML; the reader gave up on it.", e);
        }
    }

    /// <summary>Walks the file's events one by one: however deep a text nests, nothing recurses.</summary>
    private static Dictionary<string, SettingValue> Read(
        string path, Parser parser, IReadOnlyDictionary<string, char?> forms)
    {
        var said = new Dictionary<string, SettingValue>();
        parser.Consume<StreamStart>();
        if (!parser.TryConsume<DocumentStart>(out _) || !parser.TryConsume<MappingStart>(out _))
        {
            throw SafeLlamaException.Usage($"{path}: expected one YAML mapping of settings, such as 'rank: 8'.");
        }

        while (!parser.TryConsume<MappingEnd>(out _))
        {
            var place = $"{path}:{parser.Current!.Start.Line}";
            var key = parser.TryConsume<Scalar>(out var scalar)
                ? scalar.Value
                : throw SafeLlamaException.Usage($"{place}: expected the name of a setting.");
            var name = key.Replace('_', '-');
            if (!forms.TryGetValue(name, out var separator))
            {
                throw SafeLlamaException.Usage(
                    $"{place}: '{key}' is no setting{Meant(key, forms.Keys)}");
            }

            var value = new SettingValue(TextOf(parser, name, separator, place), Path.GetFileName(place));
            if (!said.TryAdd(name, value))
            {
                throw SafeLlamaException.Usage($"{place}: '{key}' is also set at {said[name].Source}.");
            }
        }

        parser.Consume<DocumentEnd>();
        return parser.Accept<StreamEnd>(out _) ? said : throw SafeLlamaException.Usage(
            $"{path}:{parser.Current!.Start.Line}: expected the end of the file: a recipe is one YAML document.");
    }

    private static string Meant(string key, IEnumerable<string> settings) =>
        NearestName.Hint(key.Replace('-', '_'), settings.Select(s => s.Replace('-', '_')));

    private static string TextOf(Parser parser, string name, char? separator, string place)
    {
        if (parser.TryConsume<Scalar>(out var one))
        {
            return one.Value;
        }

        if (separator is { } between && parser.TryConsume<SequenceStart>(out _))
        {
            var values = new List<string>();
            while (parser.TryConsume<Scalar>(out var next))
            {
                values.Add(next.Value);
            }

            if (parser.TryConsume<SequenceEnd>(out _))
            {
                return string.Join(between, values);
            }
        }

        throw SafeLlamaException.Usage($"{place}: '{name.Replace('-', '_')}' takes "
            + $"{(separator is null ? "one value" : "a value or a list of values")}.");
    }
}
