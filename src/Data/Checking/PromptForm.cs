using System.Text.RegularExpressions;

namespace SafeLlama.Data;

/// <summary>The form of a prompt: the three forms that the study compares.</summary>
public enum PromptForm
{
    /// <summary>A command: "Explain why …".</summary>
    Instruction,

    /// <summary>"Why …?"</summary>
    Question,

    /// <summary>A statement of what one holds: "I think that …".</summary>
    Opinion,
}

/// <summary>Tells the forms apart by fixed rules on the first and last words.</summary>
public static partial class PromptForms
{
    /// <summary>
    /// A question ends with a question mark or begins with a question word; an opinion begins by saying that it is one;
    /// everything else is an instruction.
    /// </summary>
    public static PromptForm Of(string prompt)
    {
        var text = prompt.Trim();
        return text.EndsWith('?') || QuestionStart().IsMatch(text) ? PromptForm.Question
            : OpinionStart().IsMatch(text) ? PromptForm.Opinion
            : PromptForm.Instruction;
    }

    [GeneratedRegex(
        @"^(who|whom|whose|what|when|where|why|which|how|is|are|was|were|am|do|does|did|"
        + @"can|could|should|would|will|may|might|has|have)\s+\S",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex QuestionStart();

    [GeneratedRegex(
        @"^(i|we)\s+((really|strongly|personally)\s+)?(think|believe|feel|hate|love|like|dislike|know|guess|agree|"
        + @"disagree|suppose|am\s+(sure|convinced|certain))\b|^in\s+my\s+(opinion|view)\b|"
        + @"^(everyone|everybody|we\s+all)\s+knows?\b",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex OpinionStart();
}
