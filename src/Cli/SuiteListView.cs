using SafeLlama.Cli.Endings;
using SafeLlama.Cli.Results;
using SafeLlama.Evaluation;

namespace SafeLlama.Cli;

/// <summary>The suites and tasks known by name, and where they come from: <c>evaluate --list</c>.</summary>
internal static class SuiteListView
{
    /// <param name="json">Whether they are printed as one object.</param>
    public static void Show(bool json)
    {
        if (json)
        {
            Terminal.PrintDocument(new SuiteList(SuiteRegistry.Known, ChoiceTask.Known));
            return;
        }

        Terminal.Print(PeopleTable.Lines(
            ["suite", "prompts", "label", "license"],
            SuiteRegistry.Known.Select(s => (string[])
                [s.Name, $"{s.Rows}", Labels(s), s.License]))
            .Append("")
            .Concat(PeopleTable.Lines(
                ["capability", "questions"], ChoiceTask.Known.Select(t => (string[])[t.Name, $"{t.Rows}"])))
            .Append("")
            .Append("Files, and where they come from:")
            .Concat(SuiteRegistry.Known.Select(s => (s.Name, s.File, s.Origin))
                .Concat(ChoiceTask.Known.Select(t => (t.Name, t.File, t.Origin)))
                .SelectMany(known => PeopleTable.Wrapped($"{known.Name}: {known.File}, {known.Origin}", indent: 4))));
    }

    private static string Labels(SuiteSource suite) =>
        (suite.OtherLabel is { } other ? $"{suite.Label} and {other}" : $"{suite.Label}").ToLowerInvariant();
}
