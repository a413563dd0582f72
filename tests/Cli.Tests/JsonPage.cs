using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using SafeLlama.Evaluation;

namespace SafeLlama.Cli.Tests;

/// <summary>Writes <c>docs/json.md</c> from the types that are serialized and from their comments.</summary>
internal sealed partial class JsonPage
{
    private readonly Dictionary<Type, string> _shown = [];
    private readonly Queue<Type> _open = new();
    private readonly Dictionary<string, XElement> _comments = [];

    /// <param name="parts">What is shown, by heading, with the type of each object.</param>
    /// <param name="foreign">Files in the forms of other programs, with whose form it is.</param>
    public static string Of(
        IEnumerable<(string Heading, (string Name, Type Type)[] Objects)> parts,
        IEnumerable<(string Name, string Form)> foreign)
    {
        var page = new JsonPage();
        var text = new StringBuilder(
            """
            # JSON

            Every object that a verb prints with `--json`, and every JSON file of a run folder. This page is made from
            the types of the program; a test compares the two. Names are in snake_case; a field that has no value is
            left out, unless the table says null. A number that is not finite is `"NaN"`, `"Infinity"` or `"-Infinity"`.
            A verb that fails before it has a result prints none: stdout stays empty, and stderr has one line.

            An *interval* is `{"value", "low", "high", "level"}`: an estimate, its confidence limits (null where nothing
            bounds them), and how often such limits cover the true value. It is null where nothing could be estimated.
            Files written before held `[value, low, high]`, which is still read.

            """);
        foreach (var (heading, objects) in parts)
        {
            text.Append($"\n## {heading}\n\n| | object |\n|---|---|\n");
            foreach (var (name, type) in objects)
            {
                text.Append($"| {name} | {page.NameOf(type)} |\n");
            }
        }

        text.Append("\n## Files in the forms of other programs\n\n| | form |\n|---|---|\n");
        foreach (var (name, form) in foreign)
        {
            text.Append($"| {name} | {form} |\n");
        }

        text.Append("\n## Objects\n");
        while (page._open.TryDequeue(out var type))
        {
            page.Describe(type);
        }

        foreach (var section in page._shown.OrderBy(s => Title(s.Key), StringComparer.Ordinal).Select(s => s.Value))
        {
            text.Append(section);
        }

        return text.ToString();
    }

    private void Describe(Type type)
    {
        var text = new StringBuilder(
            $"\n### {Title(type)}\n\n{Summary(type)}\n\n| field | type | meaning |\n|---|---|---|\n");
        foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(p => p.GetMethod is not null && p.GetIndexParameters().Length == 0 && p.Name != "EqualityContract"
                && p.GetCustomAttribute<JsonIgnoreAttribute>() is not { Condition: JsonIgnoreCondition.Always }))
        {
            var name = property.GetCustomAttribute<JsonPropertyNameAttribute>()?.Name
                ?? JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name);
            text.Append($"| `{name}` | {NameOf(property.PropertyType)} | {Meaning(type, property)} |\n");
        }

        _shown[type] = text.ToString();
    }

    private string NameOf(Type type)
    {
        var plain = Nullable.GetUnderlyingType(type) ?? type;
        if (plain == typeof(Interval))
        {
            return "interval";
        }

        if (Dictionary(plain) is { } value)
        {
            return $"map from text to {NameOf(value)}";
        }

        if (plain != typeof(string) && Element(plain) is { } element)
        {
            return $"list of {NameOf(element)}";
        }

        if (plain.IsEnum)
        {
            return string.Join(", ", Enum.GetNames(plain)
                .Select(name => $"`{JsonNamingPolicy.SnakeCaseLower.ConvertName(name)}`"));
        }

        if (Primitive(plain) is { } known)
        {
            return known;
        }

        if (!_shown.ContainsKey(plain) && !_open.Contains(plain))
        {
            _open.Enqueue(plain);
        }

        return $"[{Title(plain)}](#{Title(plain).ToLowerInvariant()})";
    }

    private static string? Primitive(Type type) =>
        type == typeof(string) ? "text"
        : type == typeof(bool) ? "true or false"
        : type == typeof(int) || type == typeof(long) ? "whole number"
        : type == typeof(double) || type == typeof(float) ? "number"
        : type == typeof(DateTime) || type == typeof(DateTimeOffset) ? "time"
        : type == typeof(object) ? "anything"
        : type.GetCustomAttribute<System.ComponentModel.DescriptionAttribute>() is { } form ? form.Description
        : null;

    private static Type? Dictionary(Type type) => Interfaces(type)
        .FirstOrDefault(i => i.GetGenericTypeDefinition() == typeof(IReadOnlyDictionary<,>))?.GetGenericArguments()[1];

    private static Type? Element(Type type) => Interfaces(type)
        .FirstOrDefault(i => i.GetGenericTypeDefinition() == typeof(IEnumerable<>))?.GetGenericArguments()[0];

    private static IEnumerable<Type> Interfaces(Type type) =>
        type.GetInterfaces().Append(type).Where(i => i is { IsInterface: true, IsGenericType: true });

    private static string Title(Type type) => type.DeclaringType is { } owner && owner.Name != type.Name
        ? $"{Title(owner)}{type.Name}" : type.Name;

    private string Summary(Type type) => Text(Comment(type)?.Element("summary"));

    private string Meaning(Type type, PropertyInfo property)
    {
        var own = Text(Comments(type).GetValueOrDefault($"P:{Key(type)}.{property.Name}")?.Element("summary"));
        return own.Length > 0 ? own : Text(Comment(type)?.Elements("param")
            .FirstOrDefault(p => p.Attribute("name")?.Value == property.Name));
    }

    private XElement? Comment(Type type) => Comments(type).GetValueOrDefault("T:" + Key(type));

    private static string Key(Type type) => type.FullName!.Replace('+', '.');

    private Dictionary<string, XElement> Comments(Type type)
    {
        var file = Path.Combine(AppContext.BaseDirectory, type.Assembly.GetName().Name + ".xml");
        if (_comments.TryAdd(file, null!) && File.Exists(file))
        {
            foreach (var member in XDocument.Load(file).Descendants("member"))
            {
                _comments[member.Attribute("name")!.Value] = member;
            }
        }

        return _comments;
    }

    /// <summary>A comment as one line of Markdown.</summary>
    private static string Text(XElement? comment)
    {
        if (comment is null)
        {
            return "";
        }

        var text = string.Concat(comment.Nodes().Select(node => node switch
        {
            XText plain => plain.Value,
            XElement { Name.LocalName: "c" } code => $"`{code.Value}`",
            XElement { Name.LocalName: "see" or "paramref" } link =>
                $"`{(link.Attribute("cref") ?? link.Attribute("name"))!.Value.Split('.', ':')[^1]}`",
            XElement other => other.Value,
            _ => "",
        }));
        return Spaces().Replace(text, " ").Trim().Replace("|", "\\|");
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
