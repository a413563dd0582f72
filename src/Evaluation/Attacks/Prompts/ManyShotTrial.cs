using SafeLlama.Common;
using SafeLlama.Data;

namespace SafeLlama.Evaluation;

/// <summary>Shows the model k exchanges in which requests were answered, and then asks.</summary>
/// <remarks>
/// The exchanges are other prompts with the answers given for them; without given answers, benign prompts that the
/// model itself answered. They are turns of the template's conversation, or, where it holds one request and one answer,
/// its own frame once for each exchange. Anil et al. 2024, "Many-shot jailbreaking".
/// </remarks>
/// <param name="shots">k.</param>
/// <param name="answers">The identity of the given answers; empty without them.</param>
public sealed class ManyShotTrial(int shots, string answers = "") : PromptTrial
{
    public const string Name = "many-shot";

    private IReadOnlyList<Shot> _pool = [];

    public override string Attack => Name;

    public override string Setting => $"{shots}";

    public override string About => $"Shows {shots} answered request{(shots == 1 ? "" : "s")} before the prompt.";

    public override string Identity => $"{Name} 1\n{shots}\n{answers}";

    public override AttackLoad Load(SuitePrompt prompt, long seed) => new(prompt.Text, Exchanges: shots);

    public override PreparedAttack Prepare(
        AttackContext context, string folder, IProgress<EvaluationProgress>? progress, CancellationToken cancellation)
    {
        var isGiven = context.Answers.Count > 0;
        _pool = isGiven
            ? [.. context.Prompts.Where(p => context.Answers.GetValueOrDefault(p.Key) is { Length: > 0 })
                .Select(p => new Shot(p, context.Answers[p.Key]))]
            : [.. context.Clean.Where(o => o.Prompt.Label is PromptLabel.Benign or PromptLabel.Safe && !o.IsInvalid
                && o.Refused != true).Select(o => new Shot(o.Prompt, o.Response.Answer))];
        var prepared = base.Prepare(context, folder, progress, cancellation);
        return prepared with
        {
            Notes =
            [
                isGiven ? $"The exchanges are other prompts with their given answers ({_pool.Count})."
                    : $"The exchanges are benign prompts that the model answered itself ({_pool.Count}).",
                .. prepared.Notes,
            ],
        };
    }

    protected override AttackedPrompt? Apply(AttackContext context, SuitePrompt prompt)
    {
        var order = Philox.Stream(context.Seed, $"attack.many-shot {prompt.Key}").Permutation(_pool.Count);
        Shot[] shown = [.. order.Select(i => _pool[i]).Where(shot => IsOther(shot.Prompt, prompt)).Take(shots)];
        if (shown.Length < shots)
        {
            return null;
        }

        ChatMessage[] before = [.. shown.SelectMany(shot => (ChatMessage[])
            [ChatMessage.User(Request(shot.Prompt)), ChatMessage.Assistant(shot.Answer)]), .. prompt.Before ?? []];
        var (segments, remark) = Render(context, prompt, shown, before);
        return new(prompt.Text, SegmentEncoder.Ids(context.Session.Tokenizer, segments))
        {
            Before = before,
            Remarks = remark.Length > 0 ? [remark] : [],
        };
    }

    /// <summary>An exchange about the same act would give the answer away.</summary>
    private static bool IsOther(SuitePrompt shot, SuitePrompt prompt) => shot.Key != prompt.Key
        && shot.Text != prompt.Text && (shot.Origin is null || shot.Origin != prompt.Origin);

    private static string Request(SuitePrompt prompt) =>
        new InstructionExample(prompt.Text, prompt.Context ?? "", "").Question;

    private static (IReadOnlyList<PromptSegment> Segments, string Remark) Render(
        AttackContext context, SuitePrompt prompt, Shot[] shown, ChatMessage[] before)
    {
        var template = context.Session.Template;
        try
        {
            return (template.RenderPrompt((prompt with { Before = before }).Row()), "");
        }
        catch (SafeLlamaException e) when (e.Code == ExitCode.Usage)
        {
            IEnumerable<PromptSegment> One(Shot shot) => template.Render(
                new InstructionExample(shot.Prompt.Text, shot.Prompt.Context ?? "", shot.Answer));
            return (
                [
                    PromptSegment.Begin,
                    .. shown.SelectMany(One).Concat(context.Render(prompt, prompt.Text))
                        .Where(segment => segment.Kind != SegmentKind.Begin),
                ],
                "the template holds no conversation; its frame stands once for each exchange.");
        }
    }

    private readonly record struct Shot(SuitePrompt Prompt, string Answer);
}
