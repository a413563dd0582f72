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

        Terminal.Print(MetricView.Table(
            ["suite", "prompts", "label", "file", "origin", "license"],
            SuiteRegistry.Known.Select(s => (string[])
                [s.Name, $"{s.Rows}", s.Label.ToString().ToLowerInvariant(), s.File, s.Origin, s.License])));

        Console.WriteLine();
        Terminal.Print(MetricView.Table(
            ["capability", "questions", "file", "origin"],
            ChoiceTask.Known.Select(t => (string[])[t.Name, $"{t.Rows}", t.File, t.Origin])));
    }
}
