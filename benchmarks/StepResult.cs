using System.Text.Json;
using SafeLlama.Common;

namespace SafeLlama.Benchmarks;

/// <summary>What one run of a step's program printed: its line of JSON, as peers/README.md describes it.</summary>
internal sealed record StepResult
{
    /// <summary>Of the program, with the BLAS it uses where it says so.</summary>
    public required string Name { get; init; }

    public required StepWork Work { get; init; }

    /// <summary>Its type and its device, fp32 or bf16 …, where the program says so.</summary>
    public string Arithmetic { get; init; } = "";

    /// <summary>Seconds of processor time of a step, all threads together.</summary>
    public required double CpuSeconds { get; init; }

    /// <summary>Of a step, by the clock: the median of the run.</summary>
    public required double Seconds { get; init; }

    /// <summary>Processor time of every measured step, where the program says so.</summary>
    public IReadOnlyList<double> Steps { get; init; } = [];

    /// <summary>Mean negative log-likelihood in the last step, nats per token; null where nothing is learned.</summary>
    public double? Loss { get; init; }

    /// <summary>The most memory the process held.</summary>
    public required double PeakMegabytes { get; init; }

    /// <summary>Floating-point operations of a step, where the program counts them.</summary>
    public double Flops { get; init; }

    /// <summary>What its tensors take, where it says so.</summary>
    public double PlannedMegabytes { get; init; }

    /// <summary>From the opening of the model to the last step, where it says so.</summary>
    public double TotalSeconds { get; init; }

    /// <summary>Reads a line.</summary>
    /// <param name="line">One JSON object.</param>
    /// <param name="source">The program or the file and line, for messages.</param>
    /// <exception cref="SafeLlamaException">It is no JSON, or a field is missing or has another type.</exception>
    public static StepResult Of(string line, string source)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            return Of(new Fields(document.RootElement, source));
        }
        catch (JsonException e)
        {
            throw SafeLlamaException.InvalidData($"{source}: is no line of JSON: byte {e.BytePositionInLine}.");
        }
    }

    private static StepResult Of(Fields line)
    {
        var blas = line.OptionalText("blas");
        var mode = line.Text("mode");
        return new()
        {
            Name = line.Text("peer") + (blas is null ? "" : $" ({blas})"),
            Work = new(
                line.Text("config"), mode, mode == "lora" ? line.Text("targets") : null, line.Count("threads"),
                line.Count("batch"), line.Count("seq")),
            Arithmetic = $"{line.OptionalText("dtype")} {line.OptionalText("device")}".Trim(),
            CpuSeconds = line.Positive("cpu_s_per_step"),
            Seconds = line.Positive("s_per_step_median"),
            Steps = line.Numbers("cpu_s"),
            Loss = mode == "decode" ? null : line.Number("loss_last"),
            PeakMegabytes = line.Positive("peak_rss_mb"),
            Flops = line.Optional("flops_per_step") ?? 0,
            PlannedMegabytes = line.Optional("planned_mb") ?? 0,
            TotalSeconds = line.Optional("s_total") ?? 0,
        };
    }

    /// <summary>The fields of one line, each with the message it needs where it is not as expected.</summary>
    private sealed record Fields(JsonElement Line, string Source)
    {
        public string Text(string name) =>
            OptionalText(name) ?? throw Wrong(name, "a text");

        public string? OptionalText(string name) => Has(name, JsonValueKind.String) is { } found
            ? found.GetString()
            : null;

        public double Number(string name) => Optional(name) ?? throw Wrong(name, "a number");

        public double Positive(string name) =>
            Number(name) is > 0 and var found ? found : throw Wrong(name, "a number above 0");

        public int Count(string name) => Positive(name) is var found && found == Math.Floor(found) && found < 1e9
            ? (int)found
            : throw Wrong(name, "a whole number");

        public double? Optional(string name) => Has(name, JsonValueKind.Number)?.GetDouble();

        public IReadOnlyList<double> Numbers(string name) => Has(name, JsonValueKind.Array) is { } found
            ? [.. found.EnumerateArray().Select(each => each.GetDouble())]
            : [];

        private JsonElement? Has(string name, JsonValueKind kind) =>
            Line.ValueKind == JsonValueKind.Object && Line.TryGetProperty(name, out var value)
                && value.ValueKind == kind ? value : null;

        private SafeLlamaException Wrong(string name, string expected) => SafeLlamaException.InvalidData(
            $"{Source}: field \"{name}\" of its line of JSON: "
            + (Line.ValueKind == JsonValueKind.Object && Line.TryGetProperty(name, out var value)
                ? $"is {value.GetRawText()}"
                : "is missing")
            + $", expected {expected}.");
    }
}
