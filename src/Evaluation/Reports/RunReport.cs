using SafeLlama.Common;

namespace SafeLlama.Evaluation;

/// <summary>The report of an evaluation run: <c>report.html</c> in its folder.</summary>
/// <param name="Run">The finished run.</param>
/// <param name="Headline">Its headline measures.</param>
/// <param name="Answers">Every answer, with what each judge says of it.</param>
public sealed record RunReport(
    RunFolder Run, IReadOnlyList<HeadlineRow> Headline, IReadOnlyList<RunAnswer> Answers)
{
    public const string FileName = "report.html";

    public static RunReport Of(RunFolder run) => new(run, HeadlineRow.Of(run), RunAnswer.Of(run));

    /// <summary>The model and the adapter by the names of their folders; the file of answers made elsewhere.</summary>
    public string Title => Run.Manifest.Names switch
    {
        { Adapter: { } adapter } names => $"{names.Model} with {adapter}",
        { } names => names.Model,
        null => "Answers made elsewhere",
    };

    /// <summary>One page that loads nothing from elsewhere; all text is escaped.</summary>
    public string ToHtml() => PageHtml.Render<RunReportPage>(
        $"Evaluation of {Title}", new() { [nameof(RunReportPage.Report)] = this });

    /// <returns>The path of the page.</returns>
    public string Write()
    {
        var path = Path.Combine(Run.Path, FileName);
        OutputFile.WriteText(path, ToHtml());
        return path;
    }
}
