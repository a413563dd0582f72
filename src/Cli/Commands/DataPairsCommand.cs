using System.CommandLine;
using SafeLlama.Cli.Options;
using SafeLlama.Cli.Results;
using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Evaluation;

namespace SafeLlama.Cli.Commands;

/// <summary><c>data pairs</c>: preferences from a model's own wrong answers and what was right.</summary>
internal static class DataPairsCommand
{
    public static Command Create() => new DataPairsOptions().Verb(
        "pairs",
        "Build chosen and rejected answers from an evaluation run: harmful answers beside safety demonstrations, "
        + "refusals of safe prompts beside right answers.",
        Run);

    private static ExitCode Run(DataPairsOptions.Request asked)
    {
        if (asked.Safety.Count + asked.Answers.Count == 0)
        {
            throw SafeLlamaException.Usage("data pairs: give --safety or --answers, or both: what would be right?");
        }

        var path = DataFiles.NewRows(asked.Out);
        var (safety, answers) = (ExampleFile.ReadAll(asked.Safety), ExampleFile.ReadAll(asked.Answers));
        Terminal.Notes(safety.Concat(answers).SelectMany(f => f.Notes));
        var run = RunFolder.OpenFinished(asked.Run);
        var judge = Judge(run, asked.Judge);
        var built = AnsweredPairs.Build(
            run.Outcomes(judge.Hash),
            [.. safety.SelectMany(f => f.Examples)],
            [.. answers.SelectMany(f => f.Examples)]);
        if (built.Rows.Count == 0)
        {
            throw SafeLlamaException.InvalidData(
                $"{asked.Run}: no pair can be built. {string.Join(" ", built.Counts.Lines())}");
        }

        var manifest = new PairsManifest(
            asked.Run, run.Manifest.Model, judge.Hash,
            safety.Concat(answers).DistinctBy(f => f.Path).ToDictionary(f => f.Path, f => f.Sha256), built.Counts)
            .Write(path, built.Rows);
        if (asked.Json)
        {
            Terminal.PrintJson(new PairsResult(path, manifest, judge.Identity.Name, built.Counts));
        }
        else
        {
            Terminal.Print(built.Counts.Lines());
            Terminal.Print($"{path}: {Counted.Of(built.Rows.Count, "pair")}; what they are made of: {manifest}");
        }

        return ExitCode.Success;
    }

    private static RunManifest.JudgeEntry Judge(RunFolder run, string? name) =>
        run.Manifest.Judges.FirstOrDefault(j => name is null || j.Identity.Name == name)
        ?? throw SafeLlamaException.Usage(
            $"--judge {name}: has not judged {run.Path}; its judges are "
            + $"{string.Join(", ", run.Manifest.Judges.Select(j => j.Identity.Name))}.");
}
