using System.CommandLine;
using SafeLlama.Cli.Options;
using SafeLlama.Cli.Results;
using SafeLlama.Common;
using SafeLlama.Study;

namespace SafeLlama.Cli.Commands;

/// <summary><c>study world</c>: shows the miniature world, or writes it as ordinary files.</summary>
internal static class StudyWorldCommand
{
    private const int Samples = 4;

    public static Command Create() => new StudyWorldOptions().Verb(
        "world", "Show samples of the made-up world that studies in miniature use; with --out, write it.", Run);

    private static ExitCode Run(StudyWorldOptions.Request asked)
    {
        var world = new World(WorldNames.DialsOf(asked.World));
        if (asked.Out is { } folder)
        {
            var files = WorldExport.Write(world, asked.Seed, folder);
            if (asked.Json)
            {
                Terminal.PrintDocument(new WorldResult(folder, WorldManifest.Of(folder)));
            }
            else
            {
                Terminal.Print(files.Select(f => $"{f.Count,8:N0}  {Path.Combine(folder, f.File)}"));
            }

            return ExitCode.Success;
        }

        var samples = new WorldSamples(
            world.Nouns.CountBy(n => n.Kind.ToString().ToLowerInvariant()).ToDictionary(),
            [.. Parts(world, asked.Seed)]);
        if (asked.Json)
        {
            Terminal.PrintDocument(samples);
        }
        else
        {
            Terminal.Print(Lines(samples));
        }

        return ExitCode.Success;
    }

    private static IEnumerable<WorldSamples.Part> Parts(World world, long seed)
    {
        yield return new("pretraining text", [.. world.Pretraining(seed).Take(Samples)]);
        var tuning = new TuningExamples(world);
        yield return new("benign tuning rows", Rows(tuning.Benign(seed, Samples, world.Dials.SafeScaryExamples)));
        foreach (var format in Enum.GetValues<SafetyFormat>())
        {
            yield return new(
                $"safety demonstrations, {format.ToString().ToLowerInvariant()}",
                Rows(tuning.Safety(seed, Samples, format)));
        }

        foreach (var draw in Enum.GetValues<WorldDraw>())
        {
            foreach (var suite in new EvaluationSets(world, draw, seed).Prompts.GroupBy(p => p.Suite))
            {
                var first = suite.First();
                yield return new(
                    $"{draw.ToString().ToLowerInvariant()} {suite.Key}, {suite.Count()} prompts",
                    [$"{first.Text} → {first.Expected ?? "a refusal is wanted"}"]);
            }
        }
    }

    private static string[] Rows(IEnumerable<TuningExample> rows) =>
        [.. rows.Select(row => $"{row.Request} → {row.Response}")];

    private static IEnumerable<string> Lines(WorldSamples samples)
    {
        yield return $"{samples.Nouns.Values.Sum()} nouns: "
            + string.Join(", ", samples.Nouns.Select(kind => $"{kind.Value} {kind.Key}"));
        foreach (var part in samples.Parts)
        {
            yield return "";
            yield return part.Title;
            foreach (var line in part.Samples)
            {
                yield return $"  {line}";
            }
        }
    }
}
