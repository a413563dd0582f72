using SafeLlama.Common;
using SafeLlama.Kernels;

namespace SafeLlama.Benchmarks;

/// <summary>A user's kernels in turn with ours: what they compute is checked before the timing and after it.</summary>
internal sealed class AgainstTable(OwnKernels own, ModelShape shape, int rounds)
{
    private const float Epsilon = 1e-6f;

    /// <summary>Of one timing; short kernels are called again and again.</summary>
    private const double Seconds = 0.05;

    /// <summary>A rate above the limit of the core by this factor is no measurement.</summary>
    private const double Slack = 1.15;

    public void Print(TextWriter writer)
    {
        using var backend = new CpuBackend(threads: 1);
        writer.WriteLine($"*{shape.Name}*, one core, fp32, {Sample.Rounds(rounds)}.\n");
        writer.WriteLine("| op | ours, µs | yours, µs | your time / ours (95%) | difference | |");
        writer.WriteLine("|---|---:|---:|---:|---:|---|");
        var absent = new List<string>();
        foreach (var (name, written, make) in Cases(backend))
        {
            if (!written)
            {
                absent.Add(name);
                continue;
            }

            using var each = make();
            writer.WriteLine(Row(each));
        }

        if (absent.Count > 0)
        {
            writer.WriteLine($"\nLeft out, NULL in the table: {string.Join(", ", absent)}.");
        }
    }

    private string Row(AgainstCase each)
    {
        Check(each, "before the timing");
        var (ours, theirs) = (new Sample(), new Sample());
        var (ourCalls, theirCalls) = (Calls(each.Ours), Calls(each.Theirs));
        for (var round = 0; round < rounds; round++)
        {
            ours.Add(Time(each.Ours, ourCalls));
            theirs.Add(Time(each.Theirs, theirCalls));
        }

        Check(each, "after the timing");
        var limit = Roofline.Measured.GigaflopsPerSecond * Slack;
        if (each.Work.Flops / theirs.Median / 1e9 is var rate && rate > limit)
        {
            throw SafeLlamaException.InvalidData(
                $"{each.Name}: yours would do {rate:F0} GFLOP a second; this core reaches {limit / Slack:F0}.");
        }

        var difference = Difference.Of(ours, theirs);
        return $"| {each.Name} | {ours.Median * 1e6:F1} | {theirs.Median * 1e6:F1} | {difference.Ratio:F3} "
            + $"({difference.Low:F3}–{difference.High:F3}) | {each.Error:G2} | {difference.Verdict} |";
    }

    private static void Check(AgainstCase each, string when)
    {
        if (each.Fault(OpChecks.ToleranceOf(DType.Float32).Tolerance) is { } fault)
        {
            throw SafeLlamaException.InvalidData($"{each.Name}: yours {fault} ({when}); it is not timed.");
        }
    }

    private static int Calls(Action call) => (int)Math.Clamp(Seconds / Time(call, 1), 1, 10_000);

    /// <summary>Processor seconds of a call.</summary>
    private static double Time(Action call, int calls)
    {
        var start = Environment.CpuUsage.TotalTime;
        for (var i = 0; i < calls; i++)
        {
            call();
        }

        return Math.Max(1e-9, (Environment.CpuUsage.TotalTime - start).TotalSeconds / calls);
    }

    private IEnumerable<(string Name, bool Written, Func<AgainstCase> Make)> Cases(CpuBackend backend)
    {
        var (rows, hidden, wide) = (shape.Rows, shape.Config.HiddenSize, shape.Config.IntermediateSize);
        foreach (var (name, outputs, inputs) in shape.Linears)
        {
            int[] sizes = [rows, outputs, inputs];
            var work = new Work(2.0 * rows * outputs * inputs, 0);
            yield return ($"linear_forward, {name}", own.HasLinearForward, () => new(
                $"linear_forward, {name}", work, backend,
                (new(rows, inputs), new(outputs, inputs), new(rows, outputs)),
                backend.Linear.Forward,
                (x, w, y) => own.LinearForward(x, w, y, sizes)));
            yield return ($"linear_backward_input, {name}", own.HasLinearBackwardInput, () => new(
                $"linear_backward_input, {name}", work, backend,
                (new(rows, outputs), new(outputs, inputs), new(rows, inputs)),
                (dy, w, dx) => backend.Linear.BackwardInput(dy, w, dx, accumulate: false),
                (dy, w, dx) => own.LinearBackwardInput(dy, w, dx, sizes)));
        }

        int[] stream = [rows, hidden];
        var rstd = new Arena(backend, "rstd");
        var inverse = rstd.Take(new(rows), backend.Accumulation, "rstd");
        rstd.Commit();
        using (rstd)
        {
            yield return ("rms_norm_forward", own.HasRmsNormForward, () => new(
                "rms_norm_forward", default, backend, (new(rows, hidden), new(hidden), new(rows, hidden)),
                (x, weight, y) => backend.RmsNorm.Forward(x, weight, Epsilon, y, inverse),
                (x, weight, y) => own.RmsNormForward(x, weight, Epsilon, y, stream)));
        }

        int[] middle = [rows, wide];
        yield return ("swiglu_forward", own.HasSwiGluForward, () => new(
            "swiglu_forward", default, backend, (new(rows, wide), new(rows, wide), new(rows, wide)),
            backend.SwiGlu.Forward,
            (gate, up, y) => own.SwiGluForward(gate, up, y, middle)));
    }
}
