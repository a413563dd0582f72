using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using SafeLlama.Kernels;

namespace SafeLlama.Benchmarks;

/// <summary>GFLOP/s, GB/s, or the fraction of this machine's measured limit, of the median call.</summary>
internal sealed class ThroughputColumn : IColumn
{
    private readonly Func<Work, double, string> _cell;

    private ThroughputColumn(string name, string legend, Func<Work, double, string> cell) =>
        (ColumnName, Legend, _cell) = (name, legend, cell);

    public static ThroughputColumn Flops { get; } = new(
        "GFLOP/s", "10⁹ floating-point operations a second", (work, seconds) => Cell(work.Flops / seconds / 1e9, "F1"));

    public static ThroughputColumn Bytes { get; } = new(
        "GB/s",
        "10⁹ bytes read or written a second, each counted once",
        (work, seconds) => Cell(work.Bytes / seconds / 1e9, "F1"));

    public static ThroughputColumn OfLimit { get; } = new(
        "Of limit",
        "share of the multiply-add peak of one core; where nothing is multiplied, times its reading from memory, above "
        + "1 where a cache holds the tensors; a GPU's limits are measured by the command device",
        (work, seconds) => Roofline.Measured.Text(work, seconds));

    public string Id => ColumnName;

    public string ColumnName { get; }

    public bool AlwaysShow => true;

    public ColumnCategory Category => ColumnCategory.Custom;

    public int PriorityInCategory => 0;

    public bool IsNumeric => true;

    public UnitType UnitType => UnitType.Dimensionless;

    public string Legend { get; }

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase)
    {
        if (summary[benchmarkCase]?.ResultStatistics is not { } statistics
            || Activator.CreateInstance(benchmarkCase.Descriptor.Type) is not OpBenchmark counter)
        {
            return "–";
        }

        foreach (var parameter in benchmarkCase.Parameters.Items)
        {
            benchmarkCase.Descriptor.Type.GetProperty(parameter.Name)?.SetValue(counter, parameter.Value);
        }

        if (this == OfLimit && counter.Device != OpBenchmark.Host)
        {
            return "–";
        }

        return _cell(counter.Of(benchmarkCase.Descriptor.WorkloadMethod.Name), statistics.Median / 1e9);
    }

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase, SummaryStyle style) =>
        GetValue(summary, benchmarkCase);

    public bool IsDefault(Summary summary, BenchmarkCase benchmarkCase) => false;

    public bool IsAvailable(Summary summary) => true;

    private static string Cell(double value, string format) => value > 0 ? value.ToString(format) : "–";
}
