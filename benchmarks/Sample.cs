using System.Globalization;

namespace SafeLlama.Benchmarks;

/// <summary>One quantity, measured several times: its median, and how far it strays.</summary>
internal sealed class Sample
{
    private readonly List<double> _values = [];

    public Sample(params IEnumerable<double> values) => _values.AddRange(values);

    public int Count => _values.Count;

    public IReadOnlyList<double> Values => _values;

    /// <summary>The middle value; of an even number the mean of the two in the middle.</summary>
    public double Median => MedianOf(_values);

    public static double MedianOf(IReadOnlyCollection<double> values)
    {
        double[] sorted = [.. values.Order()];
        var half = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
    }

    public void Add(double value) => _values.Add(value);

    /// <summary>This quantity over another that was measured in the same rounds.</summary>
    public Sample Over(Sample other) => new(_values.Zip(other._values, (a, b) => a / b));

    /// <summary>How a table was made.</summary>
    public static string Rounds(int count) =>
        count == 1 ? "1 round" : $"{count} rounds in turn, medians with the range in brackets";

    /// <summary>The median, and the range in brackets.</summary>
    public string Text(string format)
    {
        string Show(double value) => value.ToString(format, CultureInfo.InvariantCulture);
        return Count == 1 ? Show(Median) : $"{Show(Median)} ({Show(_values.Min())}–{Show(_values.Max())})";
    }
}
