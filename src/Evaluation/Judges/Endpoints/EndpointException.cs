namespace SafeLlama.Evaluation;

/// <summary>A server gave no usable reply to a request.</summary>
/// <param name="reason">Why, as a verdict keeps it.</param>
/// <param name="isTemporary">Whether the same request may succeed later.</param>
public sealed class EndpointException(string reason, bool isTemporary, Exception? inner = null)
    : Exception(reason, inner)
{
    public bool IsTemporary => isTemporary;

    public static EndpointException Malformed(string what) => new($"the endpoint's reply {what}", isTemporary: false);
}
