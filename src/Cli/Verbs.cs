using System.CommandLine;
using SafeLlama.Cli.Commands;

namespace SafeLlama.Cli;

/// <summary>Every verb, one a line, in the order in which help shows them.</summary>
internal static class Verbs
{
    private static readonly (string Name, Func<Command> Create)[] Known =
    [
        ("study", StudyCommand.Create),
        ("train", TrainCommand.Create),
        ("generate", GenerateCommand.Create),
        ("score", ScoreCommand.Create),
        ("merge", MergeCommand.Create),
        ("quantize", QuantizeCommand.Create),
        ("export", ExportCommand.Create),
        ("serve", ServeCommand.Create),
        ("lab", LabCommand.Create),
        ("data", DataCommand.Create),
        ("evaluate", EvaluateCommand.Create),
        ("attack", AttackCommand.Create),
        ("compare", CompareCommand.Create),
        ("judge", JudgeCommand.Create),
        ("inspect", InspectCommand.Create),
        ("runs", RunsCommand.Create),
        ("doctor", DoctorCommand.Create),
        ("completion", CompletionCommand.Create),
    ];

    /// <summary>
    /// Only the verb that the first argument names, so that start-up creates no unused options; all verbs where it
    /// names none.
    /// </summary>
    public static IEnumerable<Command> For(string? first) =>
        Known.FirstOrDefault(verb => verb.Name == first).Create is { } create
            ? [create()]
            : Known.Select(verb => verb.Create());
}
