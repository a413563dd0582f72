using SafeLlama.Common;

namespace SafeLlama.Evaluation;

/// <summary>Sends the attack strings of a file.</summary>
/// <param name="path">An artifact of JailbreakBench, or rows with <c>goal</c> and <c>prompt</c>.</param>
public sealed class ArtifactTrial(string path) : PromptTrial
{
    public const string Name = "artifacts";

    private readonly JailbreakArtifact _artifact = JailbreakArtifact.Read(path);

    public override string Attack => Name;

    public override string Setting => Path.GetFileNameWithoutExtension(path);

    public override string About => $"Sends the prompts of {Path.GetFileName(path)} (method {_artifact.Method}).";

    public override string Identity { get; } = $"{Name} 1\n{ContentHash.OfFile(path)}";

    public override PreparedAttack Prepare(
        AttackContext context, string folder, IProgress<EvaluationProgress>? progress, CancellationToken cancellation)
    {
        var asked = context.Prompts.Select(p => Normalized(p.Text)).ToHashSet(StringComparer.Ordinal);
        var rows = _artifact.Jailbreaks;
        var strange = rows.Count(row => !asked.Contains(Normalized(row.Goal)));
        var twice = rows.Count - rows.Select(row => Normalized(row.Goal)).Distinct().Count();
        var prepared = base.Prepare(context, folder, progress, cancellation);
        return prepared with
        {
            Notes =
            [
                .. prepared.Notes,
                .. strange > 0 ? (string[])[$"{strange} of {rows.Count} rows of the file are about no prompt of the run."] : [],
                .. twice > 0 ? (string[])[$"Rows that repeat a goal: {twice}; the first one with a prompt is sent."] : [],
            ],
        };
    }

    protected override AttackedPrompt? Apply(AttackContext context, SuitePrompt prompt) =>
        _artifact.Jailbreaks.FirstOrDefault(row => !string.IsNullOrWhiteSpace(row.Prompt)
            && Normalized(row.Goal) == Normalized(prompt.Text)) is { Prompt: { } text }
            ? context.Attacked(prompt, text) : null;

    /// <summary>Files differ in white space and in the mark at a goal's end.</summary>
    private static string Normalized(string goal) => string.Join(
        ' ', goal.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)).TrimEnd('.', ' ');
}
