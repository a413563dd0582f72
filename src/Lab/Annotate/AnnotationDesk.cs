using SafeLlama.Evaluation;

namespace SafeLlama.Lab;

/// <summary>The run that is labeled, kept open from one label to the next; used inside the gate alone.</summary>
/// <remarks>A run of thousands of answers takes a second to read, and people label faster than that.</remarks>
internal sealed class AnnotationDesk
{
    private static readonly string[] Parts =
    [
        RunManifest.FileName, EvaluationSummary.FileName, EvaluationRun.PromptsFile, EvaluationRun.ResponsesFile,
        EvaluationRun.VerdictsFile,
    ];

    private AnnotationFolder? _open;
    private FileState[] _states = [];

    /// <summary>As <see cref="AnnotationFolder.Open"/>; reads anew only where one of the files changed.</summary>
    public AnnotationFolder Open(string run)
    {
        if (_open?.Run == run && States(run, _open.Key).SequenceEqual(_states))
        {
            return _open;
        }

        // A file that changes while it is read has another state at the next call, and is read again.
        _open = null;
        _states = States(run, AnnotationFolder.KeyOf(run));
        return _open = AnnotationFolder.Open(run);
    }

    private static FileState[] States(string run, string key) =>
        [.. Parts.Select(part => FileState.Of(Path.Combine(run, part))), FileState.Of(key)];
}
