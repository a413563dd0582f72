using System.Text.Json;
using System.Text.RegularExpressions;

namespace SafeLlama.Common;

/// <summary>Reads a record that this program wrote; what was changed since is one line that names place and
/// field.</summary>
public static partial class JsonRecord
{
    /// <param name="json">The text, in UTF-8.</param>
    /// <param name="path">Its file.</param>
    /// <param name="isNo">What it turns out not to be, such as <c>is no judge card</c>.</param>
    /// <param name="options">How the record was written; <see cref="Json.Line"/> where not given.</param>
    /// <param name="line">The line of the file that the text is; where not given, it is the whole file.</param>
    /// <param name="then">What the user can do, as a sentence.</param>
    /// <exception cref="SafeLlamaException">The text is not such a record.</exception>
    public static T Parse<T>(
        ReadOnlySpan<byte> json, string path, string isNo, JsonSerializerOptions? options = null, int? line = null,
        string then = "")
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize<T>(json, options ?? Json.Line) ?? throw new JsonException("it is null.");
        }
        catch (JsonException e)
        {
            throw Fault(e, path, isNo, line, then, typeof(T));
        }
        catch (Exception e) when (e is NotSupportedException or InvalidOperationException)
        {
            // Half of a surrogate pair, or a type that JSON cannot give.
            throw SafeLlamaException.InvalidData(
                $"{path}{(line is { } number ? $":{number}" : "")}: {isNo}: a text of it is not Unicode."
                + (then.Length > 0 ? " " + then : ""), e);
        }
    }

    /// <summary>The error for what System.Text.Json found.</summary>
    /// <param name="type">What was read; where not given, the error does not say what a field should be.</param>
    public static SafeLlamaException Fault(
        JsonException e, string path, string isNo, int? line = null, string then = "", Type? type = null)
    {
        var at = line ?? e.LineNumber + 1;
        return SafeLlamaException.InvalidData(
            $"{path}{(at is { } number ? $":{number}" : "")}: {isNo}: {Reason(e, type)}"
            + (then.Length > 0 ? " " + then : ""), e);
    }

    /// <summary>What is wrong, in our own words, as a sentence.</summary>
    public static string Reason(JsonException e, Type? type = null)
    {
        var name = e.Path?.TrimStart('$').TrimStart('.') ?? "";
        var field = name.Length > 0 ? $"\"{name}\"" : "it";
        return e.Message.Contains("could not be converted", StringComparison.Ordinal)
            ? $"{field} is not {Expected(TypeAt(type, name))}."
            : Missing().Match(e.Message) is { Success: true } names
                ? $"{field} lacks {names.Groups[1].Value.Replace('\'', '"').TrimEnd('.', ' ')}."
            : Unknown().IsMatch(e.Message) ? $"there is no field {field}{NearestField(type, name)}"
            : e.Message.Contains("null values", StringComparison.Ordinal)
                ? $"{field} is empty (null), expected a value."
            : e.InnerException is not null || e.GetType() != typeof(JsonException)
                ? $"what stands at byte {e.BytePositionInLine + 1} of the line cannot stand there."
            : (name.Length > 0 ? $"{field}: " : "") + e.Message.ReplaceLineEndings(" ");
    }

    /// <summary>The end of a sentence about an unknown field: the field that was meant, or a full stop.</summary>
    private static string NearestField(Type? type, string path)
    {
        var step = PathStep().Matches(path)[^1];
        var fields = TypeAt(type, path[..step.Index].TrimEnd('.'))?.GetProperties().Select(p => p.Name) ?? [];
        return NearestName.Hint(step.Groups[2].Value, fields.Select(JsonNamingPolicy.SnakeCaseLower.ConvertName));
    }

    /// <summary>The type of a field, by a path such as <c>parts[0].count</c>; null where it is not known.</summary>
    private static Type? TypeAt(Type? type, string path) => path.Length == 0 ? type
        : PathStep().Matches(path).Aggregate(type, (at, step) => at is null ? null : step.Groups[1].Success
            ? ItemOf(at)
            : ItemOf(at, values: true) ?? at.GetProperties().FirstOrDefault(p =>
                JsonNamingPolicy.SnakeCaseLower.ConvertName(p.Name) == step.Groups[2].Value)?.PropertyType);

    private static Type? ItemOf(Type type, bool values = false) => type.GetInterfaces().Append(type)
        .Where(t => t.IsGenericType && t.GetGenericTypeDefinition() == (
            values ? typeof(IReadOnlyDictionary<,>) : typeof(IEnumerable<>)))
        .Select(t => t.GetGenericArguments()[^1]).FirstOrDefault();

    private static string Expected(Type? type)
    {
        var plain = type is null ? null : Nullable.GetUnderlyingType(type) ?? type;
        return plain == typeof(int) || plain == typeof(long) ? "a whole number"
            : plain == typeof(double) || plain == typeof(float) ? "a number"
            : plain == typeof(bool) ? "true or false"
            : plain == typeof(string) ? "a text"
            : plain?.IsEnum == true ? "one of " + string.Join(
                ", ", Enum.GetNames(plain).Select(JsonNamingPolicy.SnakeCaseLower.ConvertName))
            : plain is null || ItemOf(plain, values: true) is not null || ItemOf(plain) is null
                ? "the object that is expected" : "a list";
    }

    [GeneratedRegex(@"missing required properties including: (.+?)(?: Path:|$)")]
    private static partial Regex Missing();

    [GeneratedRegex("could not be mapped to any .NET member")]
    private static partial Regex Unknown();

    /// <summary>An item <c>[0]</c>, or a name, which stands in <c>['…']</c> where it holds a dot.</summary>
    [GeneratedRegex(@"(\[\d+\])|(?:\[')?([^.\[\]']+)(?:'\])?")]
    private static partial Regex PathStep();
}
