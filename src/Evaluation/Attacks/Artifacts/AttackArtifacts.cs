using System.Text.Json;
using SafeLlama.Data;

namespace SafeLlama.Evaluation;

/// <summary>Writes what attacks sent and got, in the form of JailbreakBench's artifacts.</summary>
internal static class AttackArtifacts
{
    public const string Folder = "artifacts";

    /// <summary>One file for each attempt that changed prompts.</summary>
    public static void Write(AttackPlan plan, IReadOnlyList<AttackMade> made)
    {
        foreach (var attempt in made.Where(m => m is { Answers: not null, Attacked.Count: > 0 }))
        {
            var folder = Path.Combine(plan.Out, Folder);
            Directory.CreateDirectory(folder);
            Of(plan, attempt).Write(Path.Combine(folder, attempt.Entry.Name + ".json"));
        }
    }

    private static JailbreakArtifact Of(AttackPlan plan, AttackMade made)
    {
        var judge = plan.Judges[0].Identity;
        var holds = AttackScore.MetricOf(judge).Holds;
        Jailbreak[] rows =
        [
            .. made.Answers!.Outcomes(judge.Hash).Where(o => made.Attacked.ContainsKey(o.Prompt.Key)).Select((o, i) =>
                Row(o, i, made.Attacked[o.Prompt.Key], o.IsInvalid ? null : holds(o))),
        ];
        return new(made.Entry.Name, Parameters(new
        {
            model = plan.Names?.Model ?? "",
            adapter = plan.Names?.Adapter ?? "",
            attack_type = made.Entry.Attack is SuffixTrial.Name ? "white_box" : "black_box",
            attack_hyperparameters = new { attack = made.Entry.Attack, setting = made.Entry.Setting },
            evaluation_llm = judge.Name,
            evaluation_identity = judge.Hash,
            prefill_is_judged = plan.JudgePrefill,
            total_number_of_jailbreaks = rows.Length,
            number_of_jailbreaks = rows.Count(r => r.Jailbroken == true),
        }), rows);
    }

    private static Jailbreak Row(Outcome outcome, int index, AttackedPrompt sent, bool? success) => new(
        index, outcome.Prompt.Text, outcome.Prompt.Id, outcome.Prompt.Category, sent.Text, outcome.Response.Answer)
    {
        Jailbroken = success,
        PromptTokens = outcome.Response.PromptTokens.Count,
        ResponseTokens = outcome.Response.AnswerTokens,
        Prefill = sent.Prefill,
        Before = sent.Before.Count == 0 ? null : [.. sent.Before.Select(turn =>
            new JailbreakTurn(turn.Role == ChatRole.User ? "user" : "assistant", turn.Content))],
    };

    private static Dictionary<string, JsonElement> Parameters(object values) =>
        JsonSerializer.SerializeToElement(values).EnumerateObject().ToDictionary(p => p.Name, p => p.Value.Clone());
}
