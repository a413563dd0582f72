using System.Text.Json;
using BenchmarkDotNet.Reports;
using SafeLlama.Common;

namespace SafeLlama.Benchmarks;

/// <summary>One measured op, as <c>ops --json</c> writes it: a line of JSON.</summary>
/// <param name="Op">Class and method.</param>
/// <param name="Parameters">What the op was measured with, by name.</param>
/// <param name="Seconds">Of a call, by the clock, a value each iteration.</param>
/// <param name="Machine">Where and when.</param>
internal sealed record OpLine(
    string Op, IReadOnlyDictionary<string, string> Parameters, IReadOnlyList<double> Seconds, MachineStamp Machine)
{
    private const string Beginning = "{\"op\":";

    /// <summary>The op and its parameters, as one name.</summary>
    public string Work => $"{Op} ({string.Join(", ", Parameters.Select(p => $"{p.Key} {p.Value}"))})";

    public static bool IsOne(string line) => line.StartsWith(Beginning, StringComparison.Ordinal);

    /// <returns>Null where the op could not be measured.</returns>
    public static OpLine? Of(BenchmarkReport report)
    {
        var (descriptor, parameters) = (report.BenchmarkCase.Descriptor, report.BenchmarkCase.Parameters);
        return report.ResultStatistics is not { } statistics
            ? null
            : new(
                $"{descriptor.Type.Name}.{descriptor.WorkloadMethod.Name}",
                parameters.Items.ToDictionary(p => p.Name, p => $"{p.Value}"),
                [.. statistics.OriginalValues.Select(nanoseconds => nanoseconds / 1e9)],
                MachineStamp.Now);
    }

    /// <exception cref="SafeLlamaException">The line is not one of these.</exception>
    public static OpLine Read(string line, string source)
    {
        try
        {
            return JsonSerializer.Deserialize<OpLine>(line, Json.Line)!;
        }
        catch (JsonException e)
        {
            throw SafeLlamaException.InvalidData(
                $"{source}: is no line of ops --json: {e.Path}; expected op, parameters, seconds and machine.");
        }
    }

    public override string ToString() => JsonSerializer.Serialize(this, Json.Line);
}
