using System.CommandLine;
using SafeLlama.Cli.Options;
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
            foreach (var (file, count) in WorldExport.Write(world, asked.Seed, folder))
            {
                Console.WriteLine($"{count,8:N0}  {Path.Combine(folder, file)}");
            }
        }
        else
        {
            Show(world, asked.Seed);
        }

        return ExitCode.Success;
    }

    private static void Show(World world, long seed)
    {
        var kinds = world.Nouns.GroupBy(n => n.Kind).Select(g => $"{g.Count()} {g.Key.ToString().ToLowerInvariant()}");
        Console.WriteLine($"{world.Nouns.Count} nouns: {string.Join(", ", kinds)}");
        Part("pretraining text", world.Pretraining(seed).Take(Samples));
        var tuning = new TuningExamples(world);
        Part("benign tuning rows", tuning.Benign(seed, Samples, world.Dials.SafeScaryExamples).Select(
            row => $"{row.Request} → {row.Response}"));
        foreach (var format in Enum.GetValues<SafetyFormat>())
        {
            Part($"safety demonstrations, {format.ToString().ToLowerInvariant()}",
                tuning.Safety(seed, Samples, format).Select(row => $"{row.Request} → {row.Response}"));
        }

        foreach (var draw in Enum.GetValues<WorldDraw>())
        {
            foreach (var suite in new EvaluationSets(world, draw, seed).Prompts.GroupBy(p => p.Suite))
            {
                var first = suite.First();
                Part($"{draw.ToString().ToLowerInvariant()} {suite.Key}, {suite.Count()} prompts",
                    [$"{first.Text} → {first.Expected ?? "a refusal is wanted"}"]);
            }
        }
    }

    private static void Part(string title, IEnumerable<string> lines)
    {
        Console.WriteLine();
        Console.WriteLine(title);
        foreach (var line in lines)
        {
            Console.WriteLine($"  {line}");
        }
    }
}
