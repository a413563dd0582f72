using System.CommandLine;
using SafeLlama.Cli.Commands;

namespace SafeLlama.Cli;

/// <summary>Every verb, one a line, in the order in which help shows them.</summary>
internal static class Verbs
{
    public static IEnumerable<Command> All()
    {
        yield return StudyCommand.Create();
        yield return TrainCommand.Create();
        yield return GenerateCommand.Create();
        yield return ScoreCommand.Create();
        yield return MergeCommand.Create();
        yield return ExportCommand.Create();
        yield return DataCommand.Create();
        yield return EvaluateCommand.Create();
        yield return CompareCommand.Create();
        yield return JudgeCommand.Create();
        yield return RunsCommand.Create();
        yield return DoctorCommand.Create();
    }
}
