using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using SafeLlama.Common;

namespace SafeLlama.Benchmarks;

/// <summary><c>diff</c>: two files of results, work by work: faster, slower, or noise.</summary>
/// <remarks>
/// A file holds lines of <c>step</c> or of <c>ops --json</c>, as many rounds as were run. Several lines of one work are
/// processes: their medians are compared. A single line has its steps alone, which do not show how processes differ.
/// Of steps the processor time is compared, of ops the time by the clock.
/// </remarks>
internal static class DiffCommand
{
    public static Command Create()
    {
        var before = new Argument<string>("before") { Description = "lines of step or of ops --json, of one program" };
        var after = new Argument<string>("after") { Description = "the same of another program or commit" };
        var command = new Command("diff", "two files of results, work by work: faster, slower or noise, as a table")
        {
            before, after,
        };
        command.SetAction(parsed => Run(parsed.GetValue(before)!, parsed.GetValue(after)!, Console.Out));
        return command;
    }

    internal static void Run(string before, string after, TextWriter writer)
    {
        var (old, young) = (Read(before), Read(after));
        var shared = old.Keys.Where(young.ContainsKey).ToList();
        if (shared.Count == 0)
        {
            throw SafeLlamaException.InvalidData(
                $"{after}: holds no work that {before} holds ({string.Join("; ", old.Keys.Take(3))}).");
        }

        foreach (var (name, file) in new[] { ("before", old), ("after", young) })
        {
            writer.WriteLine($"{name}: {string.Join("; and ", file.Values.SelectMany(w => w.Machines).Distinct())}");
        }

        writer.WriteLine("\n| work | before, s | after, s | after / before (95%) | |\n|---|---:|---:|---:|---|");
        foreach (var work in shared)
        {
            writer.WriteLine(Row(work, old[work].Times(), young[work].Times()));
        }

        foreach (var (left, right, file) in new[] { (old, young, before), (young, old, after) })
        {
            foreach (var alone in left.Keys.Where(work => !right.ContainsKey(work)))
            {
                writer.WriteLine($"Only in {file}: {alone}.");
            }
        }

        if (shared.Any(work => old[work].Lines == 1 || young[work].Lines == 1))
        {
            writer.WriteLine(
                "A work with one line is one process: how processes differ is not seen. Run it in several rounds.");
        }
    }

    private static string Row(string work, Sample before, Sample after)
    {
        var difference = Difference.Of(before, after);
        string Show(double value) => value.ToString("F3", CultureInfo.InvariantCulture);
        var interval = double.IsNaN(difference.Low) ? "" : $" ({Show(difference.Low)}–{Show(difference.High)})";
        return $"| {work} | {before.Median:G4} | {after.Median:G4} | {Show(difference.Ratio)}{interval} "
            + $"| {difference.Verdict} |";
    }

    private static Dictionary<string, Measurements> Read(string file)
    {
        if (!File.Exists(file))
        {
            throw SafeLlamaException.InvalidData($"{file}: is not there.");
        }

        var found = new Dictionary<string, Measurements>();
        var number = 0;
        foreach (var line in File.ReadLines(file))
        {
            number++;
            if (line.StartsWith('{'))
            {
                Add(found, line, $"{file}, line {number}");
            }
        }

        return found.Count > 0
            ? found
            : throw SafeLlamaException.InvalidData(
                $"{file}: holds no line of JSON; expected what step or ops --json print, a line each.");
    }

    private static void Add(Dictionary<string, Measurements> found, string line, string source)
    {
        var (work, values) = OpLine.IsOne(line)
            ? Of(OpLine.Read(line, source))
            : Of(StepResult.Of(line, source));
        if (!found.TryGetValue(work, out var measured))
        {
            found[work] = measured = new Measurements();
        }

        measured.Add(values, MachineOf(line));
    }

    private static (string Work, IReadOnlyList<double> Seconds) Of(OpLine op) => (op.Work, op.Seconds);

    private static (string Work, IReadOnlyList<double> Seconds) Of(StepResult step) => (
        $"{step.Work}{(step.Arithmetic.Length == 0 ? "" : $", {step.Arithmetic}")}",
        step.Steps.Count > 0 ? step.Steps : [step.CpuSeconds]);

    private static string MachineOf(string line)
    {
        using var document = JsonDocument.Parse(line);
        return document.RootElement.TryGetProperty("machine", out var machine)
            && machine.ValueKind == JsonValueKind.Object
                ? string.Join(", ", machine.EnumerateObject().Where(f => f.Name != "date").Select(f => $"{f.Value}"))
                : "a machine that is not named";
    }

    /// <summary>The lines of one work.</summary>
    private sealed class Measurements
    {
        private readonly List<IReadOnlyList<double>> _lines = [];

        public HashSet<string> Machines { get; } = [];

        public int Lines => _lines.Count;

        public void Add(IReadOnlyList<double> seconds, string machine)
        {
            _lines.Add(seconds);
            Machines.Add(machine);
        }

        /// <summary>Medians of the lines; of a single line its own values.</summary>
        public Sample Times() => _lines.Count == 1 ? new(_lines[0]) : new(_lines.Select(Sample.MedianOf));
    }
}
