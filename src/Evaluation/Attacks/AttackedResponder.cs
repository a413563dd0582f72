using SafeLlama.Inference;

namespace SafeLlama.Evaluation;

/// <summary>Answers attacked prompts with the engine.</summary>
/// <param name="context">Model and decoding.</param>
/// <param name="attack">The attack's identity.</param>
/// <param name="prompts">By <see cref="SuitePrompt.Key"/>.</param>
public sealed class AttackedResponder(
    AttackContext context, string attack, IReadOnlyDictionary<string, AttackedPrompt> prompts) : IResponder
{
    private readonly Generator _generator =
        new(context.Session.Model, context.Session.Decoding(context.Decoding));

    public string Identity { get; } = AttackRun.IdentityOf(
        context.Session.Identity.Hash,
        context.JudgePrefill && prompts.Values.Any(p => p.Prefill is not null) ? attack + "\nprefill judged" : attack);

    public DecodingConfig Settings => context.Decoding;

    public IReadOnlyList<ModelAnswer> Answer(IReadOnlyList<AnswerRequest> requests, CancellationToken cancellation)
    {
        AttackedPrompt[] asked = [.. requests.Select(request => prompts[request.Prompt.Key])];
        var answers = _generator.Generate([.. asked.Select(prompt => prompt.Ids)], 0, null, cancellation);
        return [.. asked.Zip(answers, Read)];
    }

    /// <remarks>
    /// A prefilled beginning is no answer of the model. Where judges read it too, it stands before what the model
    /// added; where the model added nothing that is an answer, there is none.
    /// </remarks>
    private ModelAnswer Read(AttackedPrompt prompt, Generation answer)
    {
        var added = context.Session.Continuation(prompt.Ids, answer);
        var whole = context.JudgePrefill && prompt.Prefill is { } prefill && AnswerValidity.Classify(added) is null;
        return new(
            prompt.Ids, (whole ? prompt.Prefill + added : added).Trim(), answer.Text.Count(),
            answer.Stop == StopReason.End ? "end" : "length")
        {
            Prefill = prompt.Prefill,
        };
    }
}
