using System.Text.Json;
using System.Text.Json.Nodes;
using SafeLlama.Common;

namespace SafeLlama.Study;

/// <summary>
/// Everything that decides an arm's training, with rows and base by hash, as <c>plan.json</c> keeps it.
/// </summary>
/// <remarks>What decides its answers besides (suites, prompts, decoding) is the evaluation run's manifest.</remarks>
/// <param name="Base">Hashes of the base's config, tokenizer and weights.</param>
public sealed record ArmPlan(
    Replicate Replicate, StudyArm Arm, StudyTraining Training, string Template, int Rows, string RowsHash,
    IReadOnlyDictionary<string, string> Base)
{
    public static ArmPlan Of(ArmJob job, IReadOnlyDictionary<string, string> model) => new(
        job.Replicate,
        job.Arm,
        job.Training,
        job.Template.Name,
        job.Examples.Count + job.Preferences.Count,
        ContentHash.OfText(string.Join('\n', job.Examples.Select(e => $"{e.Id}\t{e.Question}\t{e.Answer}")
            .Concat(job.Preferences.Concat(job.DefensePairs).Select(
                p => $"{p.Id}\t{p.Chosen?.Question}\t{p.ChosenAnswer}\t{p.RejectedAnswer}")))),
        new SortedDictionary<string, string>(model.ToDictionary(f => f.Key, f => f.Value), StringComparer.Ordinal));

    public string ToJson() => JsonSerializer.Serialize(this, StudyJson.Document) + "\n";

    /// <summary>Refuses a plan that differs from this one.</summary>
    /// <exception cref="SafeLlamaException">The first difference is named.</exception>
    public void MustEqual(string kept, string file)
    {
        if (PlanDifference.Find(Parse(kept, file), JsonNode.Parse(ToJson())) is { } different)
        {
            throw SafeLlamaException.Usage(
                $"{file}: {different}. The arm was made by another recipe, other rows or another base; name another "
                + "folder, or run what it was made by.");
        }
    }

    private static JsonNode? Parse(string text, string file)
    {
        try
        {
            return JsonNode.Parse(text, documentOptions: new() { AllowDuplicateProperties = false });
        }
        catch (JsonException e)
        {
            throw JsonRecord.Fault(
                e, file, "was changed since it was written", then: "Delete the arm's folder to have it made again.");
        }
    }
}
