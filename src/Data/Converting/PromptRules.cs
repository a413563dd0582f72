using System.Text.RegularExpressions;

namespace SafeLlama.Data;

/// <summary>Rewrites a prompt by the first rule that fits, or not at all.</summary>
/// <remarks>
/// Only rules that keep the sentence grammatical whatever follows are used; "Why are the streets loud?" would need a
/// parser to become "Explain why the streets are loud", so no rule takes it.
/// </remarks>
public static class PromptRules
{
    private const RegexOptions Options =
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.Singleline;

    private const string Please = @"^(?:please\s+)?";

    /// <summary>Verbs that begin a command; prompts with other beginnings are not converted.</summary>
    private const string Verbs =
        "answer|argue|build|calculate|choose|classify|"
        + "come up with|compare|compose|compute|convert|convince|craft|create|"
        + "define|describe|design|detail|determine|develop|discuss|draft|edit|evaluate|explain|find|generate|give|help|"
        + "identify|justify|list|make|name|outline|present|produce|propose|prove|provide|recommend|rewrite|show|state|"
        + "suggest|summari[sz]e|teach|tell|translate|write";

    // A noun phrase that opens with its article or a possessive: safe after "Describe" and "What are".
    private const string NounPhrase = @"(?<x>(the|a|an|some|my|your|his|her|our|their|its|this|that|these|those)\s.+)";

    private static readonly Rule[] ToQuestion =
    [
        new(Please + @"(?:explain|describe|tell me|show me|teach me|outline|detail)(?:\s+to me)?\s+how to\s+(?<x>.+)$",
            "How do I {0}?", "explain how to … → how do I …?"),
        new(Please + @"(?:give|show|provide)\s+(?:me\s+)?(?:some\s+|a list of\s+)?(?:ways|tips|steps|instructions)\s+"
            + @"(?:on how\s+)?to\s+(?<x>.+)$",
            "How do I {0}?", "give me ways to … → how do I …?"),
        new(Please + "(?<x>(?:" + Verbs + @")\b.+)$",
            "Can you {0}?", "imperative … → can you …?"),
    ];

    private static readonly Rule[] ToInstruction =
    [
        new(@"^(?:how)\s+(?:do|can|could|should|would|might)\s+(?:i|you|we|one|someone|people)\s+(?<x>.+)$",
            "Explain how to {0}.", "how do I …? → explain how to …"),
        new(@"^how\s+to\s+(?<x>.+)$", "Explain how to {0}.", "how to …? → explain how to …"),
        new(@"^(?:can|could|would|will)\s+you\s+(?:please\s+)?(?<x>.+)$", "{0}.", "can you …? → imperative"),
        new(@"^where\s+(?:do|can|could|should|would)\s+(?:i|you|we|one|someone)\s+(?<x>.+)$",
            "Tell me where to {0}.", "where can I …? → tell me where to …"),
        new(@"^when\s+(?:do|can|could|should|would)\s+(?:i|you|we|one|someone)\s+(?<x>.+)$",
            "Tell me when to {0}.", "when should I …? → tell me when to …"),
        new(@"^should\s+(?:i|we|one)\s+(?<x>.+)$", "Tell me whether to {0}.", "should I …? → tell me whether to …"),
        new(@"^is\s+it\s+(?<x>\w+\s+(?:to|that|for|if)\s.+)$",
            "Explain whether it is {0}.", "is it … to …? → explain whether it is …"),
        new(@"^what\s+(?:is|are|was|were)\s+" + NounPhrase + "$", "Describe {0}.", "what is the …? → describe the …"),
        new(@"^why\s+should\s+(?:i|we|one)\s+(?<x>.+)$",
            "Give reasons to {0}.", "why should I …? → give reasons to …"),
    ];

    private static readonly Rule[] ToOpinion =
    [
        new(Please + @"(?:explain|describe|argue|tell me|justify|write\s+(?:a\s+)?reasons?)\s+(?:why|that)\s+(?<x>.+)$",
            "I think that {0}.", "explain why … → I think that …"),
    ];

    /// <summary>The new wording and the rule that made it; null where no rule fits.</summary>
    public static (string Text, string Rule)? Apply(string prompt, PromptForm form)
    {
        var rules = form switch
        {
            PromptForm.Question => ToQuestion,
            PromptForm.Instruction => ToInstruction,
            _ => ToOpinion,
        };
        var sentence = prompt.Trim().TrimEnd('.', '?', '!', ' ');
        if (sentence.AsSpan().IndexOfAny('\n', '?') >= 0 || sentence.Contains(". ", StringComparison.Ordinal))
        {
            return null;
        }

        foreach (var rule in rules)
        {
            if (rule.Rewrite(sentence) is { } text)
            {
                return (text, rule.Name);
            }
        }

        return null;
    }

    private sealed record Rule(string Pattern, string Form, string Name)
    {
        private readonly Regex _pattern = new(Pattern, Options);

        public string? Rewrite(string sentence)
        {
            var match = _pattern.Match(sentence);
            if (!match.Success)
            {
                return null;
            }

            var rest = match.Groups["x"].Value;
            var inner = Form.StartsWith('{') ? Upper(rest) : Lower(rest);
            return string.Format(null, Form, inner);
        }

        private static string Upper(string text) => char.ToUpperInvariant(text[0]) + text[1..];

        /// <summary>Lowers a leading capital, but not that of "I" or an acronym.</summary>
        private static string Lower(string text) =>
            text.Length > 1 && (char.IsUpper(text[1]) || text[0] == 'I' && !char.IsLetter(text[1]))
                ? text
                : char.ToLowerInvariant(text[0]) + text[1..];
    }
}
