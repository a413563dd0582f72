using SafeLlama.Data;
using SafeLlama.Inference;

namespace SafeLlama.Evaluation;

/// <summary>What an attack may use.</summary>
/// <param name="Session">The model under attack.</param>
/// <param name="Decoding">How it answers.</param>
/// <param name="Prompts">The unsafe prompts.</param>
/// <param name="Benign">The prompts that measure utility; may be empty.</param>
/// <param name="Clean">The answers without an attack, with the first judge's verdicts.</param>
public sealed record AttackContext(
    LlamaSession Session,
    DecodingConfig Decoding,
    IReadOnlyList<SuitePrompt> Prompts,
    IReadOnlyList<SuitePrompt> Benign,
    IReadOnlyList<Outcome> Clean)
{
    /// <summary>Answers of another model to the prompts, by <see cref="SuitePrompt.Key"/>.</summary>
    public IReadOnlyDictionary<string, string> Answers { get; init; } = new Dictionary<string, string>();

    /// <summary>Whether a prefilled beginning belongs to the answer that judges read.</summary>
    public bool JudgePrefill { get; init; }

    /// <summary>Seeds every random choice.</summary>
    public long Seed { get; init; }

    /// <summary>The segments of a prompt whose request is another text.</summary>
    /// <param name="text">The request: text, whatever it spells.</param>
    public IReadOnlyList<PromptSegment> Render(SuitePrompt prompt, string text) =>
        Session.Template.RenderPrompt(prompt.Row(text));

    /// <summary>The same, with the beginning of an answer behind it.</summary>
    /// <param name="text">The request: text, whatever it spells.</param>
    /// <param name="answer">What the answer begins with.</param>
    public IReadOnlyList<PromptSegment> RenderBegun(SuitePrompt prompt, string text, string answer) =>
        Session.Template.RenderBegun(prompt.Row(text), answer);

    /// <summary>Answers prompts as they are.</summary>
    public IResponder Plain => new EngineResponder(Session, Decoding);

    /// <summary>
    /// The answer that an attack wants: the one given for the prompt, else the prompt's own target, else a fixed
    /// opening; and a remark where it is not the given one.
    /// </summary>
    public (string Text, string Remark) WantedAnswer(SuitePrompt prompt) =>
        Answers.TryGetValue(prompt.Key, out var given) && given.Length > 0 ? (given, "")
        : prompt.Target is { } target ? (target, "the answer wanted is the prompt's own target.")
        : (PrefillTrial.Opening, $"no answer is given; the answer wanted begins \"{PrefillTrial.Opening}\"");

    /// <summary>The prompt with another request.</summary>
    public AttackedPrompt Attacked(SuitePrompt prompt, string text) =>
        new(text, SegmentEncoder.Ids(Session.Tokenizer, Render(prompt, text)));
}
