using SafeLlama.Evaluation;
using SafeLlama.Serving;

namespace SafeLlama.Lab;

/// <summary>Fields that several rooms ask for.</summary>
internal static class LabFields
{
    private const int MostPath = 1000;

    /// <summary>One of an enumeration's names in lower case; the first of them where nothing is given.</summary>
    /// <exception cref="ApiException">It is another word.</exception>
    public static T Choice<T>(RequestFields fields, string name)
        where T : struct, Enum
    {
        var names = Enum.GetValues<T>().ToDictionary(value => value.ToString().ToLowerInvariant());
        return fields.Text(name) is not { } text ? default
            : names.TryGetValue(text, out var value) ? value
            : throw new ApiException(400, $"'{fields.Name(name)}' is one of {string.Join(", ", names.Keys)}.", name);
    }

    /// <summary>An interval as pages take it: null for what is not finite.</summary>
    public static object Json(Interval interval) => new
    {
        value = Finite(interval.Value),
        low = Finite(interval.Low),
        high = Finite(interval.High),
    };

    /// <summary>A text that is not blank.</summary>
    /// <exception cref="ApiException">It is blank or too long.</exception>
    public static string Text(RequestFields fields, string name, int most)
    {
        var text = RequestFields.TextOf(fields.Require(name), fields.Name(name)).Trim();
        return text.Length == 0 ? throw new ApiException(400, $"'{fields.Name(name)}' is empty.", name)
            : text.Length > most ? throw new ApiException(
                400, $"'{fields.Name(name)}' has {text.Length} characters, the lab takes {most}.", name)
            : text;
    }

    /// <summary>A path of this machine; what is there is for its reader to judge.</summary>
    /// <exception cref="ApiException">It is blank, too long, or leads to a device, which would have no end.</exception>
    public static string Path(RequestFields fields, string name)
    {
        var path = Text(fields, name, MostPath);
        RequirePath(path, name);
        return path;
    }

    /// <exception cref="ApiException">It is no path, or leads to a device, which would have no end.</exception>
    public static void RequirePath(string path, string name)
    {
        if (path.Contains('\0', StringComparison.Ordinal))
        {
            throw new ApiException(400, $"'{name}' holds a character that no path has.", name);
        }

        // Devices, pipes and the like have length 0, and so has no file that anything can be read from.
        if (path.Length > 0 && new FileInfo(path) is { Exists: true, Length: 0 })
        {
            throw new ApiException(400, $"'{name}': {path} is empty, or no file but a device.", name);
        }
    }

    private static double? Finite(double value) => double.IsFinite(value) ? value : null;
}
