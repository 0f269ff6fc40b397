/** Makes the call of a job. Called by many threads at a time. */
interface Client {
  /**
   * @param job JSON text
   * @return the result's JSON text, which holds the flow's execution ID
   */
  String call(String job) throws Exception;
}
