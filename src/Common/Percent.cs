using System.Globalization;

namespace SafeLlama.Common;

/// <summary>Writes shares as percentages, the same everywhere.</summary>
public static class Percent
{
    /// <summary>"17.1%"; "–" where there is no number.</summary>
    /// <param name="share">A part of one.</param>
    /// <param name="format">The number's format: at most one decimal place where not given.</param>
    public static string Of(double share, string format = "0.#") =>
        double.IsNaN(share) ? "–" : (100 * share).ToString(format, CultureInfo.InvariantCulture) + "%";
}
