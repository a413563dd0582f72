using SafeLlama.Common;

namespace SafeLlama.Evaluation;

/// <summary>Sends the request in a wrapper.</summary>
public sealed class WrapperTrial(Wrapper wrapper) : PromptTrial
{
    public const string Name = "wrappers";

    public override string Attack => Name;

    public override string Setting => wrapper.Name;

    public override string About => wrapper.About;

    public override string Identity => $"{Name} 1\n{wrapper.Identity}";

    public override PreparedAttack Prepare(
        AttackContext context, string folder, IProgress<EvaluationProgress>? progress, CancellationToken cancellation)
    {
        var prepared = base.Prepare(context, folder, progress, cancellation);
        return wrapper.IsEncoding
            ? prepared with
            {
                Notes =
                [
                    .. prepared.Notes,
                    "An answer in the same encoding is read as it stands: a judge that goes by wording cannot tell "
                    + "what it says.",
                ],
            }
            : prepared;
    }

    protected override AttackedPrompt? Apply(AttackContext context, SuitePrompt prompt) => context.Attacked(
        prompt, wrapper.Apply(prompt.Text, Philox.Stream(context.Seed, $"attack.wrapper {wrapper.Name} {prompt.Key}")));
}
