namespace SafeLlama.Data;

/// <summary>The <c>post_processor</c> of <c>tokenizer.json</c>: which tokens stand before and behind a text.</summary>
/// <param name="Begin">The id before it; null where there is none.</param>
/// <param name="End">The id behind it; null where there is none.</param>
internal readonly record struct PostProcessorField(int? Begin, int? End)
{
    /// <exception cref="Common.SafeLlamaException">It does something else to a text.</exception>
    public static PostProcessorField Read(ConfigField field)
    {
        var found = new PostProcessorField(null, null);
        foreach (var (type, step) in field.Steps("processors"))
        {
            switch (type)
            {
                case "ByteLevel": // moves offsets alone
                    break;
                case "TemplateProcessing" when found == default:
                    found = Template(step);
                    break;
                default:
                    throw step["type"].Wrong(
                        "expected ByteLevel, or one TemplateProcessing", "Use a LLaMA model's tokenizer.");
            }
        }

        return found;
    }

    private static PostProcessorField Template(ConfigField step)
    {
        var (before, after, isBehind) = (new List<int>(), new List<int>(), false);
        foreach (var part in step["single"].Items())
        {
            if (!part["Sequence"].IsMissing)
            {
                isBehind = !isBehind
                    ? true
                    : throw part.Wrong("expected the text once", "Use a LLaMA model's tokenizer.");
                continue;
            }

            var ids = step["special_tokens"][part["SpecialToken"]["id"].Text()]["ids"];
            (isBehind ? after : before).AddRange(ids.Items().Select(id => id.Number()));
        }

        return isBehind && before.Count <= 1 && after.Count <= 1
            ? new PostProcessorField(before.Count > 0 ? before[0] : null, after.Count > 0 ? after[0] : null)
            : throw step["single"].Wrong(
                "expected the text, at most one token before it and one behind it", "Use a LLaMA model's tokenizer.");
    }
}
