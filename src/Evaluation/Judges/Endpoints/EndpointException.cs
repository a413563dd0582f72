namespace SafeLlama.Evaluation;

/// <summary>A server gave no usable reply to one question.</summary>
/// <param name="reason">Why, as a verdict keeps it.</param>
/// <param name="isTemporary">The same question may be answered later.</param>
public sealed class EndpointException(string reason, bool isTemporary, Exception? inner = null)
    : Exception(reason, inner)
{
    public bool IsTemporary => isTemporary;

    public static EndpointException Malformed(string what) => new($"the endpoint's reply {what}", isTemporary: false);
}
