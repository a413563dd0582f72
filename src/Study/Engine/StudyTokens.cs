using SafeLlama.Data;

namespace SafeLlama.Study;

/// <summary>Tokens of rows and prompts that are counted before a study begins, each encoded once for a base.</summary>
/// <remarks>Arms share nearly all of their rows and every prompt, so a plan of many arms costs little more than one of
/// one arm. Not for several threads.</remarks>
/// <param name="folderOf">The checkpoint folder of a model's name.</param>
internal sealed class StudyTokens(Func<string, string> folderOf)
{
    private readonly Dictionary<string, ITokenizer> _tokenizers = [];
    private readonly Dictionary<(string Model, string Template, int MaxLength), EncodedRows> _rows = [];
    private readonly Dictionary<(string Model, string Template), Dictionary<StudyPrompt, int>> _prompts = [];

    public ITokenizer Tokenizer(string model) =>
        _tokenizers.TryGetValue(model, out var known) ? known
            : _tokenizers[model] = TokenizerLoader.Load(folderOf(model));

    /// <summary>The rows that a job's base, template and length limit have encoded so far.</summary>
    public EncodedRows Rows(ArmJob job)
    {
        var key = (job.Replicate.Model, job.Template.Identity, job.Training.MaxLength);
        return _rows.TryGetValue(key, out var known) ? known : _rows[key] = new();
    }

    /// <summary>The tokens of a prompt as the job's template asks it.</summary>
    public int Length(ArmJob job, StudyPrompt prompt)
    {
        var key = (job.Replicate.Model, job.Template.Identity);
        if (!_prompts.TryGetValue(key, out var lengths))
        {
            _prompts[key] = lengths = new(ReferenceEqualityComparer.Instance);
        }

        return lengths.TryGetValue(prompt, out var known) ? known : lengths[prompt] =
            SegmentEncoder.Ids(Tokenizer(job.Replicate.Model), job.Template.RenderPrompt(prompt.Row)).Length;
    }
}
