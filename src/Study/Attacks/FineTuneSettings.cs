using System.Globalization;
using SafeLlama.Common;
using SafeLlama.Training;

namespace SafeLlama.Study;

/// <summary>The settings of one fine-tuning attack.</summary>
/// <param name="Rows">How many rows of the file.</param>
/// <param name="Epochs">Passes over them.</param>
/// <param name="LearningRate">The peak of the learning rate.</param>
public sealed record FineTuneSettings(int Rows, int Epochs, double LearningRate)
{
    /// <summary>As <see cref="Parse"/> reads it, learning rate included.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Rows}x{Epochs}@{LearningRate}");

    /// <summary>Reads <c>100x3</c> (rows, epochs) or <c>100x3@1e-4</c> (and learning rate).</summary>
    /// <exception cref="SafeLlamaException">It is neither.</exception>
    public static FineTuneSettings Parse(string attack, string text)
    {
        var at = text.IndexOf('@');
        var counts = (at < 0 ? text : text[..at]).Split('x');
        var rate = new FineTuneRequest().LearningRate;
        return counts.Length == 2
            && int.TryParse(counts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var rows) && rows > 0
            && int.TryParse(counts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var epochs) && epochs > 0
            && (at < 0 || (double.TryParse(
                text[(at + 1)..], NumberStyles.Float, CultureInfo.InvariantCulture, out rate)
                && rate > 0 && double.IsFinite(rate)))
            ? new(rows, epochs, rate)
            : throw SafeLlamaException.Usage(
                $"`Attacks` {attack}: the setting \"{text}\" is none; expected rows x epochs, such as 100x3, or with a "
                + "learning rate, 100x3@1e-4.");
    }
}
